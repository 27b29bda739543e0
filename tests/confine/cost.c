/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the confinement costs: cost KERNEL PATH N HELPER opens the kernel and loads it into memory that stands for a
 * guest's, with this process and with the helper as its parser, by turns, and prints the medians of N pairs, of time by
 * the clock and of processor time, the helper's included.  This process has been warmed up, and each helper is new.
 * cost KERNEL PATH 0 HELPER opens it once, in the helper, and prints how long that took, how it ended, and how much more
 * memory this process has needed than before.
 */
#include <pvboot/build.h>
#include <pvboot/confine.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#define GUEST_BYTES (256ull << 20)

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double cpu_ms(void)
{
    struct rusage self, children;
    double us = 0;

    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    us +=
        (double)(self.ru_utime.tv_usec + self.ru_stime.tv_usec + children.ru_utime.tv_usec + children.ru_stime.tv_usec);
    us += 1e6 *
          (double)(self.ru_utime.tv_sec + self.ru_stime.tv_sec + children.ru_utime.tv_sec + children.ru_stime.tv_sec);
    return us / 1e3;
}

/* Of this program alone: getrusage() would remember what ran in the process before. */
static long peak_kib(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long kib = -1;

    while (f && kib < 0 && fgets(line, sizeof(line), f))
        if (sscanf(line, "VmHWM: %ld", &kib) != 1)
            kib = -1;
    if (f)
        fclose(f);
    return kib;
}

struct cost {
    double ms, cpu;
};

/* One whole opening, as long as the kernel is held, and its end. */
static struct cost open_once(const char *kernel, struct pvboot_confine *c, struct pvboot_error *e)
{
    struct cost from = { now_ms(), cpu_ms() };
    struct pvboot_kernel k;

    *e = (struct pvboot_error){ 0 };
    (void)pvboot_kernel_open_confined(&k, kernel, c, e);
    pvboot_kernel_dispose(&k);
    return (struct cost){ now_ms() - from.ms, cpu_ms() - from.cpu };
}

static uint8_t *ram;

static int write_ram(struct pvboot_guest *g, uint64_t gpa, const void *src, size_t n, struct pvboot_error *e)
{
    (void)g, (void)e;
    if (gpa > GUEST_BYTES || n > GUEST_BYTES - gpa)
        abort();
    memcpy(ram + gpa, src, n);
    return 0;
}

static int zero_ram(struct pvboot_guest *g, uint64_t gpa, uint64_t n, struct pvboot_error *e)
{
    (void)g, (void)e;
    if (gpa > GUEST_BYTES || n > GUEST_BYTES - gpa)
        abort();
    memset(ram + gpa, 0, (size_t)n);
    return 0;
}

static struct cost build_once(const char *kernel, struct pvboot_confine *c, struct pvboot_error *e)
{
    static const struct pvboot_guest_ops ops = { .bytes = sizeof(ops), .write = write_ram, .zero = zero_ram };
    struct pvboot_request req;
    struct pvboot_guest g = { .ops = &ops };
    struct cost from = { now_ms(), cpu_ms() };
    struct pvboot_machine m;
    struct pvboot_kernel k;
    struct pvboot_plan plan;

    pvboot_request_init(&req);
    req.path = c->path;
    if (!pvboot_machine_default(&m, GUEST_BYTES, 1, e) && !pvboot_kernel_open_confined(&k, kernel, c, e)) {
        (void)pvboot_build(&plan, &k, &m, &req, &g, e);
        pvboot_kernel_dispose(&k);
    }
    return (struct cost){ now_ms() - from.ms, cpu_ms() - from.cpu };
}

/* The second of two counts: by then the memory it takes is here, and need not be fetched from a hypervisor. */
static struct cost build(const char *kernel, struct pvboot_confine *c, struct pvboot_error *e)
{
    *e = (struct pvboot_error){ 0 };
    (void)build_once(kernel, c, e);
    return build_once(kernel, c, e);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *t, size_t n)
{
    qsort(t, n, sizeof(*t), ascending);
    return n % 2 ? t[n / 2] : (t[n / 2 - 1] + t[n / 2]) / 2;
}

enum { HERE, CONFINED, DIFFERENCE, ROWS };

static void print(const char *what, double *row[ROWS], size_t n)
{
    printf("%zu pairs, median %s: here %.2f ms, confined %.2f ms, difference %+.2f ms\n", n, what, median(row[HERE], n),
           median(row[CONFINED], n), median(row[DIFFERENCE], n));
}

static int compare(const char *kernel, struct pvboot_confine *c, size_t n)
{
    double *wall[ROWS], *cpu[ROWS];
    struct pvboot_confine off = *c;
    struct pvboot_error e;

    off.sandbox = PVBOOT_SANDBOX_OFF;
    ram = mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ram == MAP_FAILED || madvise(ram, GUEST_BYTES, MADV_DONTFORK)) /* as a guest's memory, which no child gets */
        return 71;
    for (int r = 0; r < ROWS; r++) {
        wall[r] = calloc(n, sizeof(double));
        cpu[r] = calloc(n, sizeof(double));
        if (!wall[r] || !cpu[r])
            return 71;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t turn = 0; turn < 2; turn++) {
            size_t which = (i + turn) % 2; /* HERE first, then CONFINED, then the other way round */
            struct cost cost = build(kernel, which == HERE ? &off : c, &e);

            if (e.code) {
                fprintf(stderr, "%s\n", e.text);
                return e.code;
            }
            wall[which][i] = cost.ms;
            cpu[which][i] = cost.cpu;
        }
        wall[DIFFERENCE][i] = wall[CONFINED][i] - wall[HERE][i];
        cpu[DIFFERENCE][i] = cpu[CONFINED][i] - cpu[HERE][i];
    }
    print("time", wall, n);
    print("processor time", cpu, n);
    return 0;
}

int main(int argc, char **argv)
{
    struct pvboot_confine c = { 0 };
    struct pvboot_error e;
    long before = peak_kib();
    struct cost cost;
    size_t n;

    if (argc != 5)
        return 64;
    c.path = pvboot_path_find(argv[2]);
    c.helper = argv[4];
    n = strtoul(argv[3], NULL, 10);
    if (n)
        return compare(argv[1], &c, n);
    cost = open_once(argv[1], &c, &e);
    printf("%.1f ms, %ld KiB, class %d: %s\n", cost.ms, peak_kib() - before, e.code, e.text);
    return 0;
}
