/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Preloaded into xl, stock or with the plugin behind it, and into the offline driver: writes to $PVBOOT_STAMPS when each
 * step of the domain builder began and ended.  Built with -DCOUNT it also says what had been spent by then; that takes
 * time, so a run is either timed or counted.
 *
 * "step NAME FIELD=VALUE... > FIELD=VALUE..." per call of libxl's into libxenguest, outermost ones only; then
 * "end FIELD=VALUE...".
 */
#include <dlfcn.h>
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libxlutil.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenguest.h>

#include <sys/ioctl.h>

#include <xen/sys/privcmd.h>

#define EXPORT __attribute__((visibility("default")))
#define NEXT(f) ((__typeof__(&f))dlsym(RTLD_NEXT, #f))
#define STEPS_MAX 64u

struct spent {
    uint64_t ns;     /* CLOCK_MONOTONIC */
    uint64_t cpu_us; /* of this process and of the children it has waited for */
#ifdef COUNT
    uint64_t faults;                  /* of both, major ones included */
    uint64_t read_bytes, write_bytes; /* through system calls, of both */
    uint64_t processes;               /* started in this system since its boot, threads included */
    uint64_t hypercalls, maps, pages; /* privcmd: asked for by this process; mappings of guest memory, how large */
    uint64_t copied, filled;          /* bytes, by memcpy() and the like and by memset(), of this process */
#endif
};

static struct {
    const char *name;
    struct spent begin, end;
} step[STEPS_MAX];
static size_t n_steps;
static __thread unsigned int depth;
static const char *out_path;
static pid_t self;
#ifdef COUNT
static uint64_t looked; /* bytes that were read to count */
#endif

static uint64_t microseconds(const struct rusage *u)
{
    return ((uint64_t)u->ru_utime.tv_sec + (uint64_t)u->ru_stime.tv_sec) * 1000000u + (uint64_t)u->ru_utime.tv_usec +
           (uint64_t)u->ru_stime.tv_usec;
}

/* The number after @word in a file of /proc. */
static uint64_t number(const char *path, const char *word)
{
    static char text[1 << 16];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    const char *at;
    ssize_t got;

    if (fd < 0)
        err(70, "%s", path);
    while (used + 1 < sizeof(text) && (got = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
        used += (size_t)got;
    close(fd);
#ifdef COUNT
    looked += used;
#endif
    text[used] = 0;
    at = strstr(text, word);
    if (!at)
        errx(70, "%s: no %s", path, word);
    return strtoull(at + strlen(word), NULL, 10);
}

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#ifdef COUNT
/* Seen by a process that xl forks, from when there is memory for that. */
struct counted {
    uint64_t hypercalls, maps, pages, copied, filled;
};
static struct counted first, *counted = &first;

static void share(void)
{
    void *p = mmap(NULL, sizeof(*counted), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        err(70, "no memory to count in");
    *(struct counted *)p = first;
    counted = p;
}

static void add(uint64_t *to, uint64_t n)
{
    __atomic_fetch_add(to, n, __ATOMIC_RELAXED);
}

static void *copy_forward(void *to, const void *from, size_t n)
{
    void *d = to;

    __asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(n) : : "memory");
    return to;
}

EXPORT void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    add(&counted->copied, n);
    return copy_forward(to, from, n);
}

EXPORT void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *d = to;
    const uint8_t *s = from;

    add(&counted->copied, n);
    if ((uintptr_t)to - (uintptr_t)from >= n)
        return copy_forward(to, from, n);
    while (n--)
        ((volatile uint8_t *)d)[n] = s[n];
    return to;
}

EXPORT void *memset(void *to, int c, size_t n)
{
    void *d = to;

    add(&counted->filled, n);
    __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
    return to;
}

EXPORT void *__memcpy_chk(void *to, const void *from, size_t n, size_t room)
{
    return n > room ? abort(), to : memcpy(to, from, n);
}

EXPORT void *__memmove_chk(void *to, const void *from, size_t n, size_t room)
{
    return n > room ? abort(), to : memmove(to, from, n);
}

EXPORT void *__memset_chk(void *to, int c, size_t n, size_t room)
{
    return n > room ? abort(), to : memset(to, c, n);
}

static void privcmd(unsigned long request, const void *arg)
{
    if (request == IOCTL_PRIVCMD_HYPERCALL)
        add(&counted->hypercalls, 1);
    else
        add(&counted->maps, 1);
    if (request == IOCTL_PRIVCMD_MMAPBATCH_V2)
        add(&counted->pages, ((const privcmd_mmapbatch_v2_t *)arg)->num);
    else if (request == IOCTL_PRIVCMD_MMAPBATCH)
        add(&counted->pages, (uint64_t)((const privcmd_mmapbatch_t *)arg)->num);
    else if (request == IOCTL_PRIVCMD_MMAP)
        for (int i = 0; i < ((const privcmd_mmap_t *)arg)->num; i++)
            add(&counted->pages, ((const privcmd_mmap_t *)arg)->entry[i].npages);
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    void *arg;

    va_start(args, request);
    arg = va_arg(args, void *);
    va_end(args);
    if (_IOC_TYPE(request) == 'P')
        privcmd(request, arg);
    return NEXT(ioctl)(fd, request, arg);
}

static void count(struct spent *s, const struct rusage *own, const struct rusage *children)
{
    const uint64_t before = looked;

    /* first, since what follows copies, too */
    s->copied = counted->copied;
    s->filled = counted->filled;
    s->hypercalls = counted->hypercalls;
    s->maps = counted->maps;
    s->pages = counted->pages;
    s->faults = (uint64_t)(own->ru_minflt + own->ru_majflt + children->ru_minflt + children->ru_majflt);
    s->read_bytes = number("/proc/self/io", "rchar: ");
    s->read_bytes -= before;
    s->write_bytes = number("/proc/self/io", "wchar: ");
    s->processes = number("/proc/stat", "\nprocesses ");
}
#endif

static void look(struct spent *s)
{
    struct rusage own, children;

    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &children);
    s->cpu_us = microseconds(&own) + microseconds(&children);
#ifdef COUNT
    count(s, &own, &children);
#endif
}

static bool enter(const char *name)
{
    if (depth++ || !out_path || n_steps == STEPS_MAX)
        return false;
    step[n_steps].name = name;
    look(&step[n_steps].begin);
    step[n_steps].begin.ns = now();
    return true;
}

static void leave(bool outermost)
{
    depth--;
    if (!outermost)
        return;
    step[n_steps].end.ns = now();
    look(&step[n_steps].end);
    n_steps++;
}

static void print(FILE *f, const struct spent *s)
{
    fprintf(f, " ns=%" PRIu64 " cpu_us=%" PRIu64, s->ns, s->cpu_us);
#ifdef COUNT
    fprintf(f,
            " faults=%" PRIu64 " read_bytes=%" PRIu64 " write_bytes=%" PRIu64 " processes=%" PRIu64
            " hypercalls=%" PRIu64 " maps=%" PRIu64 " pages=%" PRIu64 " copied=%" PRIu64 " filled=%" PRIu64,
            s->faults, s->read_bytes, s->write_bytes, s->processes, s->hypercalls, s->maps, s->pages, s->copied,
            s->filled);
#endif
}

/* Before xl becomes a daemon, which is a child of its as well. */
static void report(void)
{
    struct rusage children;
    FILE *f;

    if (!out_path || getpid() != self)
        return;
    getrusage(RUSAGE_CHILDREN, &children);
    f = fopen(out_path, "we");
    if (!f)
        err(70, "%s", out_path);
    for (size_t i = 0; i < n_steps; i++) {
        fprintf(f, "step %s", step[i].name);
        print(f, &step[i].begin);
        fprintf(f, " >");
        print(f, &step[i].end);
        fputc('\n', f);
    }
    fprintf(f, "end xl_kib=%" PRIu64 " child_kib=%ld\n", number("/proc/self/status", "VmHWM:"), children.ru_maxrss);
    if (fclose(f))
        err(70, "%s", out_path);
    out_path = NULL;
}

/* Debian's /usr/sbin/xl is a shell script; only the program behind it is meant, and none of its children. */
__attribute__((constructor)) static void begin(void)
{
    if (!dlsym(RTLD_NEXT, "xc_dom_allocate"))
        return;
    unsetenv("LD_PRELOAD");
    out_path = getenv("PVBOOT_STAMPS");
    self = getpid();
#ifdef COUNT
    share();
#endif
    look(&step[0].begin); /* so that no step pays for the first time */
}

#define STEP(type, f, parameters, arguments) \
    EXPORT type f parameters                 \
    {                                        \
        bool outermost = enter(#f);          \
        type r = NEXT(f) arguments;          \
                                             \
        leave(outermost);                    \
        return r;                            \
    }

STEP(int, xlu_cfg_readdata, (XLU_Config * cfg, const char *data, int n), (cfg, data, n))
STEP(struct xc_dom_image *, xc_dom_allocate, (xc_interface * xch, const char *cmdline, const char *features),
     (xch, cmdline, features))
STEP(int, xc_dom_kernel_file, (struct xc_dom_image * dom, const char *file), (dom, file))
STEP(int, xc_dom_module_file, (struct xc_dom_image * dom, const char *file, const char *cmdline), (dom, file, cmdline))
STEP(int, xc_dom_boot_xen_init, (struct xc_dom_image * dom, xc_interface *xch, uint32_t domid), (dom, xch, domid))
STEP(int, xc_dom_parse_image, (struct xc_dom_image * dom), (dom))
STEP(int, xc_dom_mem_init, (struct xc_dom_image * dom, unsigned int mib), (dom, mib))
STEP(int, xc_dom_boot_mem_init, (struct xc_dom_image * dom), (dom))
STEP(int, xc_dom_build_image, (struct xc_dom_image * dom), (dom))
STEP(int, xc_dom_boot_image, (struct xc_dom_image * dom), (dom))
STEP(int, xc_dom_gnttab_init, (struct xc_dom_image * dom), (dom))

EXPORT void xc_dom_release(struct xc_dom_image *dom)
{
    bool outermost = enter(__func__);

    NEXT(xc_dom_release)(dom);
    leave(outermost);
    if (outermost)
        report();
}
