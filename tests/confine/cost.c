/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the confinement costs: cost KERNEL PATH N HELPER opens the kernel N times in this process and N times in the
 * helper, by turns, and prints the medians.  cost KERNEL PATH 0 HELPER opens it once, in the helper, and prints how
 * long that took, how it ended, and how much more memory this process has needed than before.
 */
#include <pvboot/confine.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
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

/* One whole opening, as long as the kernel is held, and its end. */
static double open_once(const char *kernel, struct pvboot_confine *c, struct pvboot_error *e)
{
    struct pvboot_kernel k;
    double from = now_ms();

    *e = (struct pvboot_error){ 0 };
    (void)pvboot_kernel_open_confined(&k, kernel, c, e);
    pvboot_kernel_dispose(&k);
    return now_ms() - from;
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

static int compare(const char *kernel, struct pvboot_confine *c, size_t n)
{
    double *in = calloc(n, sizeof(*in)), *out = calloc(n, sizeof(*out)), *extra = calloc(n, sizeof(*extra));
    struct pvboot_confine off = *c;
    struct pvboot_error e;

    if (!in || !out || !extra)
        return 71;
    off.sandbox = PVBOOT_SANDBOX_OFF;
    for (size_t i = 0; i < n; i++) {
        if (i % 2)
            in[i] = open_once(kernel, &off, &e);
        out[i] = open_once(kernel, c, &e);
        if (e.code) {
            fprintf(stderr, "%s\n", e.text);
            return e.code;
        }
        if (!(i % 2))
            in[i] = open_once(kernel, &off, &e);
        extra[i] = out[i] - in[i];
    }
    printf("%zu pairs, medians: here %.2f ms, confined %.2f ms, difference %+.2f ms\n", n, median(in, n),
           median(out, n), median(extra, n));
    return 0;
}

int main(int argc, char **argv)
{
    struct pvboot_confine c = { 0 };
    struct pvboot_error e;
    long before = peak_kib();
    double ms;
    size_t n;

    if (argc != 5)
        return 64;
    c.path = pvboot_path_find(argv[2]);
    c.helper = argv[4];
    n = strtoul(argv[3], NULL, 10);
    if (n)
        return compare(argv[1], &c, n);
    ms = open_once(argv[1], &c, &e);
    printf("%.1f ms, %ld KiB, class %d: %s\n", ms, peak_kib() - before, e.code, e.text);
    return 0;
}
