/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * launch on a fake Xen and xenstored: what a guest gets, and that nothing is left when any one request is refused, a
 * signal comes at it, or xenstored is lost.  Expected numbers: libxl of Xen 4.17, type="pvh".
 */
#include "../fake/launch.h"
#include "frontends/launch/launch.h"
#include "mkimage.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <pvboot/handover.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xen/io/console.h>

#include <cmocka.h>

static char kernel[] = "/dev/shm/pvboot-launch-XXXXXX";
static const struct fake_setup host = { .host_pages = 1 << 20, .max_order = 18, .vcpus = 2 };

static int make_kernel(void **state)
{
    struct mk payload = mk_pv_elf(0x10000, &(struct mk_pv){ .base = 0xffffffff80000000 }), image = mk_bzimage(&payload);
    int fd = mkstemp(kernel), null = open("/dev/null", O_WRONLY);

    (void)state;
    if (fd < 0 || null < 0 || write(fd, image.p, image.len) != (ssize_t)image.len || dup2(null, 1) < 0)
        return -1;
    close(fd);
    close(null);
    mk_free(&image);
    mk_free(&payload);
    return 0;
}

static int remove_kernel(void **state)
{
    (void)state;
    return unlink(kernel);
}

/* `launch OPTIONS KERNEL` with two vCPUs and 256 MiB, in front of what the test has set up. */
static int launch(const char *options, struct pvboot_error *e)
{
    char text[256], *argv[32] = { (char *)"launch" }, *save = NULL;
    int argc = 1, rc;

    snprintf(text, sizeof(text), "--name g --memory 256 --vcpus 2 --entry linux64 --sandbox off %s %s", options,
             kernel);
    for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
        argv[argc++] = word;
    *e = (struct pvboot_error){ 0 };
    launch_signals();
    fault_enter();
    rc = launch_verb(argc, argv, e);
    fault_leave();
    return rc;
}

static void begin(bool ends)
{
    fake_launch_begin(&host);
    fault_arm(FAULT_XEN, 0, 0);
    fake_launch.ends = ends;
}

static uint64_t argument(const char *name)
{
    for (size_t i = 0; i < fake.n_calls; i++)
        if (!strcmp(fake.call[i].name, name))
            return fake.call[i].a;
    fail_msg("no %s", name);
    return 0;
}

/* Of the hypervisor's node in the guest's memory. */
static bool node_has(uint32_t type)
{
    struct pvboot_tlv found;
    uint8_t at[1024];
    uint64_t gpa;

    assert_true(fake_read(fake.vcpu[0].cpu.rsi + 0x250, &gpa, sizeof(gpa))); /* boot.rst: setup_data */
    while (gpa && fake_read(gpa, at, sizeof(at)) && pvboot_le32(at + 8) != PVBOOT_SETUP_TYPE)
        memcpy(&gpa, at, sizeof(gpa));
    assert_true(gpa);
    return pvboot_handover_tlv(at + 16, type, &found);
}

static void a_domain_as_libxl_makes_it(void **state)
{
    static const uint32_t type[] = { 1, 3, 2 };
    static const uint64_t start[] = { 0, 0xfc000000, 0xfeff8000 }, end[] = { 256 << 20, 0xfc001000, 0xff000000 };
    struct pvboot_error e;

    (void)state;
    begin(false);
    assert_int_equal(launch("", &e), 0);
    assert_null(fake.broken);
    assert_true(fake_launch.exists && fake_launch.running && fake_launch.introduced);
    assert_int_equal(fake_launch.flags, XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap);
    assert_int_equal(fake_launch.emulation_flags, 1);
    assert_int_equal(argument("xc_domain_setmaxmem"), 257 * 1024);
    assert_int_equal(argument("xc_set_paging_mempool_size"), 4096 * (2 * 256 + 256));
    assert_int_equal(argument("xc_cpuid_apply_policy"), 4); /* PAE alone */
    assert_int_equal(fake.param[HVM_PARAM_TIMER_MODE], 1);
    assert_int_equal(fake.param[HVM_PARAM_STORE_PFN], 0xfeffc);
    assert_int_equal(fake.param[HVM_PARAM_STORE_EVTCHN], 1);
    assert_int_equal(fake.param[HVM_PARAM_CONSOLE_EVTCHN], 2);
    assert_true(node_has(PVBOOT_TLV_XENSTORE));
    assert_int_equal(fake_launch.n_e820, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fake_launch.e820_type[i], type[i]);
        assert_int_equal(fake_launch.e820_start[i], start[i]);
        assert_int_equal(fake_launch.e820_end[i], end[i]);
    }
    assert_int_equal(fake.tot_pages, (256 << 8) + 8 + 1); /* RAM, special pages, ACPI */
    assert_true(fake.vcpu[0].up && !fake.vcpu[1].up && fake.vcpu[1].has_mtrr);
    assert_int_equal(fake_launch.handles + (int)fake.handles, 0);
}

static void tables_are_in_the_guest(void **state)
{
    struct pvboot_error e;
    uint8_t rsdp[8], sum = 0, all[0x1000];

    (void)state;
    begin(false);
    assert_int_equal(launch("", &e), 0);
    assert_true(fake_read(0xfc000000, all, sizeof(all)));
    for (size_t i = 0; i + 36 < sizeof(all); i += 16)
        if (!memcmp(all + i, "RSD PTR ", sizeof(rsdp))) {
            for (size_t j = 0; j < 36; j++)
                sum = (uint8_t)(sum + all[i + j]);
            assert_int_equal(sum, 0);
            return;
        }
    fail_msg("no RSDP");
}

static const struct {
    const char *path, *value;
    uint32_t owner;
    bool guest_reads;
} node[] = {
    { "/local/domain/7", "", 0, true },
    { "/local/domain/7/name", "g", 0, true },
    { "/local/domain/7/domid", "7", 0, true },
    { "/local/domain/7/memory/target", "262144", 0, true },
    { "/local/domain/7/memory/static-max", "262144", 0, true },
    { "/local/domain/7/cpu/1/availability", "online", 0, true },
    { "/local/domain/7/store/port", "1", 0, true },
    { "/local/domain/7/store/ring-ref", "1044476", 0, true },
    { "/local/domain/7/control/shutdown", "", 7, false },
    { "/local/domain/7/data", "", 7, false },
    { "/local/domain/7/console/type", "xenconsoled", 0, true },
    { "/local/domain/7/console/port", "2", 0, true },
    { "/local/domain/7/console/ring-ref", "1044479", 0, true },
    { "/local/domain/0/backend/console/7/0/frontend", "/local/domain/7/console", 0, true },
    { "/libxl/7/type", "pvh", 0, false },
    { "/libxl/7/device/console/0/backend", "/local/domain/0/backend/console/7/0", 0, false },
};

static void nodes_as_libxl_writes_them(void **state)
{
    struct pvboot_error e;

    (void)state;
    begin(false);
    assert_int_equal(launch("", &e), 0);
    for (size_t i = 0; i < sizeof(node) / sizeof(node[0]); i++) {
        const struct fake_node *n = fake_find(node[i].path);

        if (!n)
            fail_msg("no %s", node[i].path);
        assert_string_equal(n->value, node[i].value);
        if (n->owner != node[i].owner || n->guest_reads != node[i].guest_reads)
            fail_msg("%s: of %u, %s", n->path, n->owner, n->guest_reads ? "readable" : "hidden");
    }
}

static uint64_t number_at(uint64_t gpa)
{
    uint64_t v;

    assert_true(fake_read(gpa, &v, sizeof(v)));
    return v;
}

static void node_says(const char *path, const char *value)
{
    const struct fake_node *n = fake_find(path);

    if (!n)
        fail_msg("no %s", path);
    assert_string_equal(n->value, value);
}

/* libxl for type="pv": no HVM parameters, no page table pool, rings known by frame.  start_info: xen.h, 64-bit. */
static void a_pv_domain_as_libxl_makes_it(void **state)
{
    struct fake_setup above = host;
    struct pvboot_error e;
    uint64_t start_info;

    (void)state;
    above.frames_from = 0x20000;
    fake_launch_begin(&above);
    fault_arm(FAULT_XEN, 0, 0);
    assert_int_equal(launch("--entry pv --maxmem 300", &e), 0);
    assert_null(fake.broken);
    assert_true(fake_launch.exists && fake_launch.running && fake_launch.introduced);
    assert_int_equal(fake_launch.flags, 0);
    assert_int_equal(fake_launch.emulation_flags, 0);
    assert_int_equal(fake_count("xc_set_paging_mempool_size") + fake_count("xc_hvm_param_set"), 0);
    assert_int_equal(fake.tot_pages, (256 << 8) + 1); /* and the shared_info, which is Xen's */
    assert_int_equal(fake_launch.n_e820, 1);
    assert_int_equal(fake_launch.e820_start[0], 0);
    assert_int_equal(fake_launch.e820_end[0], 300 << 20);
    assert_int_equal(fake.context.user_regs.rip, 0xffffffff81000000);
    start_info = fake.context.user_regs.rsi - 0xffffffff80000000 + 0x20000000;
    assert_int_equal(number_at(start_info + 32), 256 << 8);
    assert_int_equal(number_at(start_info + 40), fake_shared_info() << 12);
    assert_int_equal(number_at(start_info + 56), start_info / 4096 + 1);
    assert_int_equal(number_at(start_info + 64) & UINT32_MAX, 1);
    assert_int_equal(number_at(start_info + 72), start_info / 4096 + 2);
    assert_int_equal(number_at(start_info + 80) & UINT32_MAX, 2);
    node_says("/libxl/7/type", "pv");
    node_says("/local/domain/7/store/ring-ref", "135684");
    node_says("/local/domain/7/console/ring-ref", "135685");
    assert_int_equal(argument("xc_dom_gnttab_seed"), start_info / 4096 + 2);
    assert_int_equal(fake_launch.handles + (int)fake.handles, 0);
}

static void pv_has_no_timers(void **state)
{
    struct pvboot_error e;

    (void)state;
    begin(false);
    assert_int_equal(launch("--entry pv --timers", &e), -PVBOOT_E_USAGE);
    assert_false(fake_launch.exists);
}

static void without_xenstored(void **state)
{
    struct pvboot_error e;

    (void)state;
    for (int i = 0; i < 2; i++) {
        begin(false);
        fake_launch.absent = i;
        assert_int_equal(launch(i ? "" : "--no-xenstore", &e), 0);
        assert_true(fake_launch.running && !fake_launch.introduced);
        assert_int_equal(fake_launch.n_node, 0);
        assert_true(fake.param_set[HVM_PARAM_STORE_PFN] && !fake.param[HVM_PARAM_STORE_PFN]);
        assert_true(fake.param_set[HVM_PARAM_STORE_EVTCHN] && !fake.param[HVM_PARAM_STORE_EVTCHN]);
        assert_int_equal(fake_launch.ports, 1); /* the console's */
        assert_false(node_has(PVBOOT_TLV_XENSTORE));
        assert_true(node_has(PVBOOT_TLV_CONSOLE));
    }
}

static void with_timers(void **state)
{
    struct pvboot_error e;

    (void)state;
    begin(false);
    assert_int_equal(launch("--timers", &e), 0);
    assert_int_equal(fake_launch.emulation_flags, 0x3ff);
    assert_int_equal(fake.param[HVM_PARAM_ACPI_IOPORTS_LOCATION], 1);
}

static void ends(void **state)
{
    struct pvboot_error e;

    (void)state;
    begin(true);
    assert_int_equal(launch("--wait", &e), 0);
    assert_false(fake_launch.exists);
    assert_int_equal(fake_launch.n_node, 0);
    begin(true);
    assert_int_equal(launch("--wait --on-poweroff preserve", &e), 0);
    assert_true(fake_launch.exists);
}

static void goes_on_as_another_kernel(void **state)
{
    struct pvboot_error e;

    (void)state;
    begin(true);
    fake_launch.kexecs = 2;
    assert_int_equal(launch("--wait", &e), 0);
    assert_int_equal(fake_launch.resets, 2);
    assert_int_equal(fake_launch.sleeps, 2); /* a guest that does nothing else shall not keep us busy */
    assert_false(fake_launch.exists);
    assert_null(fake.broken);
    begin(true);
    fake_launch.kexecs = 1;
    assert_int_equal(launch("--wait --on-soft-reset destroy", &e), 5);
    assert_int_equal(fake_launch.resets, 0);
    assert_false(fake_launch.exists);
    begin(true);
    fake_launch.kexecs = 1;
    assert_int_equal(launch("--entry pv --wait", &e), 5);
    assert_int_equal(fake_launch.resets, 0);
    begin(true);
    fake_launch.kexecs = 1;
    assert_int_equal(launch("--console", &e), 0);
    assert_int_equal(fake_launch.resets, 1);
    assert_int_equal(fake_launch.bound, fake.param[HVM_PARAM_CONSOLE_EVTCHN]);
    assert_int_equal(launch("--on-reboot soft-reset --wait", &e), -PVBOOT_E_USAGE);
    assert_int_equal(launch("--entry pv --on-soft-reset soft-reset --wait", &e), -PVBOOT_E_USAGE);
}

/* A terminal of whose user nothing has come but ^]. */
static struct {
    int user, was;
    unsigned int looks;
    bool is_cooked, has_nodes;
} seat;

static void sit_down(void)
{
    int tty;

    memset(&seat, 0, sizeof(seat));
    assert_false(openpty(&seat.user, &tty, NULL, NULL, NULL));
    assert_int_equal(write(seat.user, "\x1d", 1), 1);
    seat.was = dup(STDIN_FILENO);
    assert_int_equal(dup2(tty, STDIN_FILENO), STDIN_FILENO);
    close(tty);
    fake_launch.stays = NULL;
}

static void get_up(void)
{
    dup2(seat.was, STDIN_FILENO);
    close(seat.was);
    close(seat.user);
}

/* The guest gives no room in its ring, and what it says of it makes no sense. */
static bool until_the_user_has_left(void)
{
    uint64_t ring = fake.param[HVM_PARAM_CONSOLE_PFN] << 12;
    const uint32_t cons = 1;
    struct termios t;

    fake_write(ring + offsetof(struct xencons_interface, in_cons), &cons, sizeof(cons));
    seat.is_cooked = !tcgetattr(STDIN_FILENO, &t) && t.c_lflag & ICANON;
    seat.has_nodes = fake_find("/local/domain/7/console/port") != NULL;
    return ++seat.looks < 4;
}

static void who_leaves_the_console_waits_on(void **state)
{
    static const struct {
        const char *options;
        bool has_nodes;
    } way[] = { { "--console --wait", true }, { "--console --wait --no-xenstore", false } };

    (void)state;
    for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
        struct pvboot_error e;
        int rc;

        begin(true);
        sit_down();
        fake_launch.stays = until_the_user_has_left;
        rc = launch(way[i].options, &e);
        get_up();
        assert_int_equal(rc, 0);
        assert_true(seat.looks >= 4 && seat.is_cooked);
        assert_int_equal(seat.has_nodes, way[i].has_nodes);
        assert_false(fake_launch.exists);
        assert_int_equal(fake_launch.handles + (int)fake.handles, 0);
    }
}

/* More than a pipe of which nobody reads takes. */
static bool until_a_signal(void)
{
    uint64_t ring = fake.param[HVM_PARAM_CONSOLE_PFN] << 12;
    uint32_t prod = 0;

    assert_true(fake_read(ring + offsetof(struct xencons_interface, out_prod), &prod, sizeof(prod)));
    prod += 2048;
    assert_true(fake_write(ring + offsetof(struct xencons_interface, out_prod), &prod, sizeof(prod)));
    return true;
}

static void a_signal_ends_it_though_nobody_reads(void **state)
{
    int out = dup(STDOUT_FILENO), end[2], rc;
    struct pvboot_error e;
    pid_t other;

    (void)state;
    assert_false(pipe(end));
    assert_true(fcntl(end[1], F_SETPIPE_SZ, 4096) == 4096 && dup2(end[1], STDOUT_FILENO) >= 0);
    begin(true);
    fake_launch.stays = until_a_signal;
    other = fork();
    if (!other) {
        usleep(1500000);
        _exit(kill(getppid(), SIGTERM));
    }
    alarm(20);
    rc = launch("--console --on-poweroff destroy", &e);
    alarm(0);
    dup2(out, STDOUT_FILENO);
    for (int i = 0; i < 2; i++)
        close(end[i]);
    waitpid(other, NULL, 0);
    assert_int_equal(rc, -128 - SIGTERM);
    assert_false(fake_launch.exists);
}

static struct {
    unsigned int n;
    uint8_t of[2][32];
} seeds;

static bool until_two_have_lived(void)
{
    uint8_t at[16 + 32];
    uint64_t gpa;

    assert_true(fake_read(fake.vcpu[0].cpu.rsi + 0x250, &gpa, sizeof(gpa)));  /* boot.rst: setup_data */
    while (gpa && fake_read(gpa, at, sizeof(at)) && pvboot_le32(at + 8) != 9) /* SETUP_RNG_SEED */
        memcpy(&gpa, at, sizeof(gpa));
    assert_true(gpa);
    memcpy(seeds.of[seeds.n++], at + 16, 32);
    if (seeds.n == 2)
        raise(SIGTERM);
    else
        fake_begin(&host); /* the memory of the one is gone before that of the other is asked for */
    return false;
}

static void each_life_has_a_seed_of_its_own(void **state)
{
    struct pvboot_error e;

    (void)state;
    begin(true);
    seeds.n = 0;
    fake_launch.stays = until_two_have_lived;
    assert_int_equal(launch("--wait --on-poweroff restart", &e), -128 - SIGTERM);
    assert_int_equal(seeds.n, 2);
    assert_int_equal(fake_launch.sleeps, 1);
    assert_memory_not_equal(seeds.of[0], seeds.of[1], 32);
}

static void a_look_that_fails_once_is_no_end(void **state)
{
    struct pvboot_error e;
    unsigned long n = 0, missed = 0;

    (void)state;
    do {
        begin(true);
        fault_arm(FAULT_XEN, ++n, ENOMEM);
        if (!launch("--wait", &e) && e.code)
            fail_msg("a look that fails at request %lu: %s", n, e.text);
        missed += fault_hit() && !strcmp(fault_hit(), "xc_domain_getinfolist") && !e.code;
    } while (fault_hit());
    assert_true(missed);
}

static int verb(int (*run)(int argc, char **argv, struct pvboot_error *e), const char *option, const char *name)
{
    char *argv[] = { (char *)"verb", (char *)option, (char *)name, NULL };
    struct pvboot_error e = { 0 };
    int rc;

    fault_enter();
    rc = run(name ? 3 : 2, argv, &e);
    fault_leave();
    return rc;
}

static void whose_it_is_nobody_knows_without_xenstore(void **state)
{
    struct pvboot_error e;

    (void)state;
    begin(false);
    fake_launch.absent = true;
    assert_int_equal(launch("", &e), 0);
    assert_int_equal(verb(launch_destroy_verb, "7", NULL), -PVBOOT_E_USAGE);
    assert_true(fake_launch.exists);
    assert_int_equal(verb(launch_destroy_verb, "--force", "7"), 0);
    assert_false(fake_launch.exists);
}

/* libxl takes any bytes for a name. */
static void a_name_of_any_bytes_is_listed(void **state)
{
    char text[4096] = "", path[] = "/dev/shm/pvboot-list-XXXXXX";
    int out = dup(STDOUT_FILENO), file = mkstemp(path), rc;
    struct pvboot_error e;
    struct fake_node *name;

    (void)state;
    begin(false);
    assert_int_equal(launch("", &e), 0);
    name = (struct fake_node *)fake_find("/local/domain/7/name");
    snprintf(name->value, sizeof(name->value), "\xff");
    assert_true(file >= 0 && dup2(file, STDOUT_FILENO) >= 0);
    rc = verb(launch_list, "--json", NULL);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    assert_true(pread(file, text, sizeof(text) - 1, 0) > 0);
    unlink(path);
    close(file);
    assert_int_equal(rc, 0);
    assert_non_null(strstr(text, "\"domid\": 7"));
}

/* Value, owner and permissions of each; of the fake the ports are the same, too. */
static void its_nodes_stay_as_they_were(void **state)
{
    static struct fake_node before[FAKE_NODES];
    struct pvboot_error e;
    size_t n;

    (void)state;
    begin(true);
    assert_int_equal(launch("--wait --on-poweroff preserve --uuid 11111111-2222-3333-4444-555555555555", &e), 0);
    n = fake_launch.n_node;
    memcpy(before, fake_launch.node, sizeof(before));
    begin(true);
    fake_launch.kexecs = 1;
    assert_int_equal(launch("--wait --on-poweroff preserve --uuid 11111111-2222-3333-4444-555555555555", &e), 0);
    assert_int_equal(fake_launch.resets, 1);
    for (size_t i = 0; i < n; i++) {
        const struct fake_node *now = fake_find(before[i].path);

        if (!now)
            fail_msg("%s is gone", before[i].path);
        if (strcmp(now->value, before[i].value) || now->owner != before[i].owner ||
            now->guest_reads != before[i].guest_reads)
            fail_msg("%s: '%s', of %u, %s", now->path, now->value, now->owner,
                     now->guest_reads ? "readable" : "hidden");
    }
}

static void paused(void **state)
{
    struct pvboot_error e;

    (void)state;
    begin(false);
    assert_int_equal(launch("--paused", &e), 0);
    assert_true(fake_launch.exists && !fake_launch.running);
}

static void two_of_a_name(void **state)
{
    struct pvboot_error e;

    (void)state;
    begin(false);
    assert_int_equal(launch("", &e), 0);
    assert_int_equal(launch("", &e), -PVBOOT_E_USAGE);
    assert_true(fake_launch.exists);
    assert_int_equal(fake_launch.handles + (int)fake.handles, 0);
}

/* Somebody has taken it since launch looked. */
static void a_name_that_is_taken_meanwhile(void **state)
{
    struct pvboot_error e;

    (void)state;
    begin(false);
    fake_launch.rival = "g";
    assert_int_equal(launch("", &e), -PVBOOT_E_USAGE);
    assert_string_equal(e.text, "there is a domain 'g' already");
    assert_false(fake_launch.exists);
    assert_int_equal(fake_launch.n_node, 1);
    assert_int_equal(fake_launch.handles + (int)fake.handles, 0);
    begin(false);
    fake_launch.node[0] =
        (struct fake_node){ .path = "/local/domain/9/name", .value = "g" }; /* of one that is no more */
    fake_launch.n_node = 1;
    assert_int_equal(launch("", &e), 0);
}

/* Xen says how many pages there were, and that is no error to it. */
static void no_page_for_tables(void **state)
{
    struct fake_setup poor = host;
    struct pvboot_error e;

    (void)state;
    poor.host_pages = 256 << 8;
    fake_launch_begin(&poor);
    fault_arm(FAULT_XEN, 0, 0);
    errno = EEXIST; /* somebody else's */
    assert_int_equal(launch("", &e), -PVBOOT_E_XEN);
    assert_string_equal(e.text, "domain 7: Xen has no page left for ACPI tables");
    assert_false(fake_launch.exists);
    assert_int_equal(fake_launch.handles + (int)fake.handles, 0);
}

/* Refusals that are no reason to give up: no FLASK, no node to remove, no extent of that size. */
static const char *const forgiven[] = {
    "xs_read",
    "xs_rm",
    "xs_release_domain",
    "xs_directory",
    "xc_flask_context_to_sid",
    "xc_domain_populate_physmap",
    "xc_domain_getinfolist",
    "xenevtchn_notify",
};

static bool is_forgiven(const char *name)
{
    for (size_t i = 0; i < sizeof(forgiven) / sizeof(forgiven[0]); i++)
        if (!strcmp(forgiven[i], name))
            return true;
    return false;
}

static void nothing_is_left(const char *what, bool store_lost)
{
    /* what would not be unmapped stays mapped until the process ends; what would not be removed stays */
    unsigned int left_mapped = fault_hit() && !strcmp(fault_hit(), "xenforeignmemory_unmap");

    if (fake_launch.exists)
        fail_msg("%s: a domain is left", what);
    if (!store_lost && fake_launch.n_node && !(fault_hit() && !strcmp(fault_hit(), "xs_rm")))
        fail_msg("%s: %zu nodes are left, first %s", what, fake_launch.n_node, fake_launch.node[0].path);
    if (fake_launch.handles + (int)fake.handles || fake.maps > left_mapped || fake.claim)
        fail_msg("%s: %d handles, %u mappings, %llu claimed pages are left", what,
                 fake_launch.handles + (int)fake.handles, fake.maps, (unsigned long long)fake.claim);
    if (fake.broken)
        fail_msg("%s: %s", what, fake.broken);
}

static const char *const way[] = { "",
                                   "--wait",
                                   "--console",
                                   "--no-xenstore",
                                   "--timers --cpus 0-1",
                                   "--paused",
                                   "--maxmem 512",
                                   "--entry pv",
                                   "--entry pv --console --no-xenstore" };

/* Every request of a launch, refused, or a signal in front of it. */
static void each_request(const char *options, int error)
{
    unsigned long n, requests;
    struct pvboot_error e;
    bool waits = strstr(options, "wait") || strstr(options, "console"), pv = strstr(options, "pv");

    begin(waits);
    fake_launch.kexecs = waits && !pv;
    assert_int_equal(launch(options, &e), 0);
    requests = fault_count(FAULT_XEN);
    assert_true(requests > 20);
    for (n = 1; n <= requests; n++) {
        char what[128];
        int rc;

        begin(waits);
        fake_launch.kexecs = waits && !pv;
        fault_arm(FAULT_XEN, n, error);
        rc = launch(options, &e);
        snprintf(what, sizeof(what), "%s, error %d at request %lu, %s", options, error, n, fault_hit());
        if (rc || waits)
            nothing_is_left(what, false);
        /* the end of a console that is left anyway; directories that stay empty */
        if (!rc && waits && (!strcmp(fault_hit(), "xenforeignmemory_unmap") || strstr(fault_hit(), "xs_transaction")))
            continue;
        if (!rc && error > 0 && !is_forgiven(fault_hit()))
            fail_msg("%s: went on", what);
        if (rc < 0 && !e.code)
            fail_msg("%s: without a word", what);
        if (rc < -128 && rc != -128 + error)
            fail_msg("%s: ends with %d", what, rc);
    }
}

static void each_refusal_leaves_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++)
        each_request(way[i], EPERM);
}

static void each_signal_leaves_nothing(void **state)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

    (void)state;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        each_request(way[i], -signals[i]);
}

static void a_lost_xenstored_leaves_nothing(void **state)
{
    struct pvboot_error e;
    unsigned long answers;

    (void)state;
    begin(false);
    fake_launch.lost_at = ~0ul;
    assert_int_equal(launch("", &e), 0);
    answers = fake_launch.asked;
    assert_true(answers > 40);
    for (unsigned long n = 1; n <= answers; n++) {
        char what[64];
        int rc;

        begin(false);
        fake_launch.lost_at = n;
        rc = launch("", &e);
        snprintf(what, sizeof(what), "xenstored lost at answer %lu", n);
        if (!rc)
            fail_msg("%s: went on", what);
        nothing_is_left(what, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_domain_as_libxl_makes_it),
        cmocka_unit_test(a_name_that_is_taken_meanwhile),
        cmocka_unit_test(no_page_for_tables),
        cmocka_unit_test(tables_are_in_the_guest),
        cmocka_unit_test(nodes_as_libxl_writes_them),
        cmocka_unit_test(a_pv_domain_as_libxl_makes_it),
        cmocka_unit_test(pv_has_no_timers),
        cmocka_unit_test(without_xenstored),
        cmocka_unit_test(with_timers),
        cmocka_unit_test(ends),
        cmocka_unit_test(goes_on_as_another_kernel),
        cmocka_unit_test(who_leaves_the_console_waits_on),
        cmocka_unit_test(a_signal_ends_it_though_nobody_reads),
        cmocka_unit_test(each_life_has_a_seed_of_its_own),
        cmocka_unit_test(a_look_that_fails_once_is_no_end),
        cmocka_unit_test(whose_it_is_nobody_knows_without_xenstore),
        cmocka_unit_test(a_name_of_any_bytes_is_listed),
        cmocka_unit_test(its_nodes_stay_as_they_were),
        cmocka_unit_test(paused),
        cmocka_unit_test(two_of_a_name),
        cmocka_unit_test(each_refusal_leaves_nothing),
        cmocka_unit_test(each_signal_leaves_nothing),
        cmocka_unit_test(a_lost_xenstored_leaves_nothing),
    };

    return cmocka_run_group_tests_name("xen_launch", tests, make_kernel, remove_kernel);
}
