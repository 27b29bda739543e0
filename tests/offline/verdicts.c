/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What pvboot and stock libxenguest make of the same files, as PVH kernels: one line for each file named on stdin,
 *
 *     OURS ENTRY START END | STOCK ENTRY START END | why ours refuses | what stock says
 *
 * OURS is 0 or the error's class; STOCK 0, 1 for refused, or the negated signal it died of.  Stock parses in a child
 * of its own, with a limit on time and memory.  Its log says what it found: the structures that hold it are not in its
 * installed headers.
 */
#include "builder/base/base.h"

#include <err.h>
#include <inttypes.h>
#include <pvboot/image.h>
#include <pvboot/xen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xenguest.h>

#define SECONDS 10
#define MEMORY (3ull << 30)

struct verdict {
    int code;
    uint64_t entry, start, end;
    char text[400];
};

static struct verdict *stock; /* shared with the child */

static void message(xentoollog_logger *l, xentoollog_level level, int errnoval, const char *context, const char *format,
                    va_list al)
{
    char text[512];
    const char *at;

    (void)l, (void)errnoval, (void)context;
    vsnprintf(text, sizeof(text), format, al);
    if (level >= XTL_ERROR || strstr(text, "broken"))
        pvb_escape(stock->text, sizeof(stock->text), text, strlen(text));
    at = strstr(text, "PHYS32_ENTRY = ");
    if (at)
        sscanf(at, "PHYS32_ENTRY = %" SCNx64, &stock->entry);
    if (strstr(text, "xc_dom_parse_elf_kernel") && (at = strstr(text, ": 0x")))
        sscanf(at, ": %" SCNx64 " -> %" SCNx64, &stock->start, &stock->end);
}

static void progress(xentoollog_logger *l, const char *context, const char *doing, int percent, unsigned long done,
                     unsigned long total)
{
    (void)l, (void)context, (void)doing, (void)percent, (void)done, (void)total;
}

static void destroy(xentoollog_logger *l)
{
    (void)l;
}

static int stock_parse(const char *path)
{
    static xentoollog_logger logger = { message, progress, destroy };
    xc_interface *xch = xc_interface_open(&logger, &logger, XC_OPENFLAG_DUMMY);
    struct xc_dom_image *dom = xch ? xc_dom_allocate(xch, "", NULL) : NULL;

    if (!dom)
        errx(71, "libxenguest");
    dom->container_type = XC_DOM_HVM_CONTAINER;
    snprintf(dom->xen_caps, sizeof(dom->xen_caps), "hvm-3.0-x86_32 hvm-3.0-x86_64");
    return xc_dom_kernel_file(dom, path) || xc_dom_parse_image(dom) ? 1 : 0;
}

static void ask_stock(const char *path)
{
    const struct rlimit seconds = { SECONDS, SECONDS }, memory = { MEMORY, MEMORY };
    pid_t pid;
    int status;

    memset(stock, 0, sizeof(*stock));
    fflush(stdout);
    pid = fork();
    if (!pid) {
        setrlimit(RLIMIT_CPU, &seconds);
        setrlimit(RLIMIT_AS, &memory);
        _exit(stock_parse(path));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        err(71, "child");
    stock->code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static struct verdict ask_ours(const char *path, struct pvboot_error *e)
{
    struct verdict v = { 0 };
    struct pvboot_kernel k;
    char why[160];
    int rc = pvboot_kernel_open(&k, path, e);

    if (!rc)
        rc = pvboot_kernel_unpack(&k, e);
    if (!rc && !pvboot_image_offers(&k.image, PVBOOT_PATH_PVH, why, sizeof(why)))
        rc = pvb_fail(e, PVBOOT_E_UNSUPPORTED, "%s", why);
    v.code = -rc;
    if (!rc)
        v = (struct verdict){ 0, k.image.elf.notes.phys32_entry, k.image.elf.window.pref_gpa,
                              k.image.elf.window.pref_gpa + k.image.elf.window.bytes, "" };
    pvboot_kernel_dispose(&k);
    return v;
}

static void print(const struct verdict *v)
{
    printf("%d 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64, v->code, v->entry, v->start, v->end);
}

int main(void)
{
    char path[4096];

    stock = mmap(NULL, sizeof(*stock), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (stock == MAP_FAILED)
        err(71, "memory");
    while (fgets(path, sizeof(path), stdin)) {
        struct pvboot_error e = { 0 };
        struct verdict ours;

        path[strcspn(path, "\n")] = 0;
        ours = ask_ours(path, &e);
        ask_stock(path);
        print(&ours);
        printf(" | ");
        print(stock);
        printf(" | %s | %s\n", e.text, stock->text);
    }
    return 0;
}
