/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * reset CONFIG.json [N [cmdline=BYTES | DEVICE]...]: what xl does at a guest's soft reset, with stock libxl on the fake Xen
 * and xenstored: domain 7 has shut down for it, and libxl is asked to let it go on.  The N-th request to Xen or xenstored
 * is refused with EPERM.  The domain has each DEVICE, as "vif/0", and a command line of any BYTES, as xl takes them from
 * its file, where libxl reads from JSON only UTF-8.  The last line tells what came of it.
 */
#include "../fake/launch.h"

#include <err.h>
#include <errno.h>
#include <libxl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void node(const char *path, const char *value)
{
    struct fake_node *n = &fake_launch.node[fake_launch.n_node++];

    snprintf(n->path, sizeof(n->path), "%s", path);
    snprintf(n->value, sizeof(n->value), "%s", value);
}

static void has(const char *what, libxl_domain_config *config)
{
    static const char text[] = "cmdline=";
    char path[64];

    if (!strncmp(what, text, strlen(text))) {
        free(config->b_info.cmdline);
        config->b_info.cmdline = strdup(what + strlen(text));
        return;
    }
    snprintf(path, sizeof(path), "/libxl/7/device/%s", what);
    node(path, "");
}

static char *content(const char *path)
{
    static char text[65536];
    FILE *f = fopen(path, "r");

    if (!f || !fread(text, 1, sizeof(text) - 1, f))
        err(66, "%s", path);
    fclose(f);
    return text;
}

int main(int argc, char **argv)
{
    static const struct fake_setup host = { .host_pages = 1 << 10, .max_order = 18, .vcpus = 1 };
    libxl_domain_config config;
    libxl_ctx *ctx;
    int rc;

    fake_launch_begin(&host);
    fake_launch.exists = fake_launch.shut_down = fake_launch.introduced = true;
    node("/local/domain/7", "");
    node("/local/domain/7/store/ring-ref", "1044476");
    libxl_domain_config_init(&config);
    if (argc < 2 || libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, NULL) ||
        libxl_domain_config_from_json(ctx, &config, content(argv[1])))
        errx(64, "usage: reset CONFIG.json [N [cmdline=BYTES | DEVICE]...]");
    for (int i = 3; i < argc; i++)
        has(argv[i], &config);
    fault_arm(FAULT_XEN, argc > 2 ? strtoul(argv[2], NULL, 10) : 0, EPERM);
    fault_enter();
    rc = libxl_domain_soft_reset(ctx, &config, FAKE_DOMID, NULL, NULL);
    fault_leave();
    printf("rc %d, %u resets, %u pauses, introduced %d, requests %lu, %d handles, breach %s\n", rc, fake_launch.resets,
           fake_launch.pauses, fake_launch.introduced, fault_count(FAULT_XEN), fake_launch.handles,
           fake.broken ? fake.broken : "none");
    libxl_domain_config_dispose(&config);
    return 0;
}
