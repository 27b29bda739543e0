/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The domain's memory: a sparse file whose offset is the guest-physical address, and who may have how much of it.  Behind
 * the memory the file tells which pages were touched: another process, the confined parser, may touch some (frames.h).
 */
#include "fake.h"
#include "frames.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

_Thread_local struct fake_domain fake;

static _Thread_local int memory = -1;
static _Thread_local uint8_t *order_of; /* per gfn: 0 nothing, else order + 1 */
static _Thread_local uint8_t *touched;
/* Of this process, which has a memory for each; and who may touch FAKE_FRAMES_FD. */
static int domains;
static pthread_mutex_t frames_lock = PTHREAD_MUTEX_INITIALIZER;

static uint8_t *table(int fd, off_t off)
{
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
    void *p = mmap(NULL, FAKE_GFNS, PROT_READ | PROT_WRITE, flags, fd, off);

    if (p == MAP_FAILED)
        err(70, "no memory for the fake");
    return p;
}

static void open_memory(const char *path)
{
    memory = path ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : memfd_create("guest", MFD_CLOEXEC);
    if (memory < 0)
        err(70, "%s", path ? path : "memfd");
    pthread_mutex_lock(&frames_lock);
    if (domains++)
        close(FAKE_FRAMES_FD); /* of two who asks cannot tell which is meant */
    else if (dup3(memory, FAKE_FRAMES_FD, O_CLOEXEC) < 0)
        err(70, "dup3");
    pthread_mutex_unlock(&frames_lock);
}

void fake_begin(const struct fake_setup *setup)
{
    if (memory < 0)
        open_memory(setup->memory_path);
    if (ftruncate(memory, 0) || ftruncate(memory, FAKE_TOUCHED_OFF + (off_t)FAKE_GFNS))
        err(70, "guest memory");
    if (!order_of) {
        order_of = table(-1, 0);
        touched = table(memory, FAKE_TOUCHED_OFF);
    }
    madvise(order_of, FAKE_GFNS, MADV_DONTNEED);
    memset(&fake, 0, offsetof(struct fake_domain, call));
    fake.setup = *setup;
    fake.host_free = setup->host_pages;
}

void fake_end(void)
{
    close(memory);
    memory = -1;
    pthread_mutex_lock(&frames_lock);
    if (!--domains)
        close(FAKE_FRAMES_FD);
    pthread_mutex_unlock(&frames_lock);
    munmap(order_of, FAKE_GFNS);
    munmap(touched, FAKE_GFNS);
    order_of = touched = NULL;
}

int fake_error(int error)
{
    errno = error;
    return -1;
}

int fake_breach(const char *what)
{
    if (!fake.broken)
        fake.broken = what;
    return fake_error(EINVAL);
}

bool fake_asked(const char *name, uint32_t domid, uint64_t a, uint64_t b, uint64_t c)
{
    if (fake.n_calls == FAKE_CALLS)
        errx(70, "more than %u calls", FAKE_CALLS);
    fake.call[fake.n_calls++] = (struct fake_call){ name, a, b, c };
    if (domid != FAKE_DOMID)
        return !fake_breach("a call for another domain");
    return !fault_now(FAULT_XEN, name);
}

size_t fake_count(const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < fake.n_calls; i++)
        n += !strcmp(fake.call[i].name, name);
    return n;
}

int fake_order(uint64_t gfn)
{
    return gfn < FAKE_GFNS ? order_of[gfn] - 1 : -1;
}

bool fake_touched(uint64_t gfn)
{
    return gfn < FAKE_GFNS && touched[gfn];
}

static bool enter(uint64_t gfn, unsigned int order)
{
    uint64_t pages = 1ull << order;

    if (gfn >= FAKE_GFNS || pages > FAKE_GFNS - gfn || gfn % pages) {
        fake_breach("an extent that is not aligned or ends beyond the guest's addresses");
        return false;
    }
    for (uint64_t i = 0; i < pages; i++)
        if (order_of[gfn + i])
            fake_breach("memory where there is some already");
    memset(order_of + gfn, (int)order + 1, pages);
    return true;
}

bool fake_promise(uint64_t gfn, unsigned int order)
{
    if (!fake.pod_target)
        fake_breach("memory on demand without a target");
    if (!enter(gfn, order))
        return false;
    fake.promised += 1ull << order;
    return true;
}

/* Give the domain one extent; false when the host or the domain's limit has no room. A claim is host memory set aside. */
bool fake_add(uint64_t gfn, unsigned int order)
{
    uint64_t pages = 1ull << order, from_claim = fake.claim < pages ? fake.claim : pages;

    if (order > fake.setup.max_order || fake.tot_pages + pages > fake.setup.max_pages ||
        pages > fake.host_free - fake.claim + from_claim)
        return false;
    if (fake.setup.p2m_pages && fake.tot_pages + pages > fake.setup.p2m_pages)
        return false;
    if (!enter(gfn, order))
        return false;
    fake.tot_pages += pages;
    fake.host_free -= pages;
    fake.claim -= from_claim;
    return true;
}

static void scrub(uint8_t *p, uint64_t gfn)
{
    if (touched[gfn])
        return;
    memset(p, FAKE_SCRUB, FAKE_PAGE);
    touched[gfn] = 1;
}

static void *map_pages(const xen_pfn_t *gfn, size_t n)
{
    uint8_t *p = mmap(NULL, n * FAKE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t run;

    if (p == MAP_FAILED)
        err(70, "mapping guest memory");
    for (size_t i = 0; i < n; i += run) {
        for (run = 1; i + run < n && gfn[i + run] == gfn[i] + run;)
            run++;
        if (mmap(p + i * FAKE_PAGE, run * FAKE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory,
                 (off_t)(gfn[i] * FAKE_PAGE)) == MAP_FAILED)
            err(70, "mapping guest memory");
        for (size_t j = 0; j < run; j++)
            scrub(p + (i + j) * FAKE_PAGE, gfn[i + j]);
    }
    return p;
}

void *fake_map(const xen_pfn_t *gfn, size_t n)
{
    void *p;

    for (size_t i = 0; i < n; i++)
        if (fake_order(gfn[i]) < 0) {
            errno = EINVAL;
            return NULL;
        }
    fault_pause();
    p = map_pages(gfn, n);
    fault_resume();
    return p;
}

int fake_unmap(void *p, size_t n)
{
    int r;

    fault_pause();
    r = munmap(p, n * FAKE_PAGE);
    fault_resume();
    return r;
}

/* By number: it is no request of the build's. */
static ssize_t read_memory(void *dst, size_t n, off_t gpa)
{
    return syscall(SYS_pread64, memory, dst, n, gpa);
}

/* FNV-1a over 64-bit words. */
static uint64_t digest_page(uint64_t h, uint64_t gfn)
{
    uint64_t page[FAKE_PAGE / sizeof(uint64_t)];

    if (read_memory(page, sizeof(page), (off_t)(gfn * FAKE_PAGE)) != (ssize_t)sizeof(page))
        err(70, "reading guest memory");
    h = (h ^ gfn) * 0x100000001b3ull;
    for (size_t i = 0; i < sizeof(page) / sizeof(page[0]); i++)
        h = (h ^ page[i]) * 0x100000001b3ull;
    return h;
}

uint64_t fake_digest(void)
{
    uint64_t h = 0xcbf29ce484222325ull;
    const uint8_t *at = touched;

    while ((at = memchr(at, 1, (size_t)(touched + FAKE_GFNS - at))) != NULL)
        h = digest_page(h, (uint64_t)(at++ - touched));
    return h;
}

bool fake_read(uint64_t gpa, void *dst, size_t n)
{
    uint8_t *out = dst;

    while (n) {
        uint64_t gfn = gpa / FAKE_PAGE, skip = gpa % FAKE_PAGE, part = FAKE_PAGE - skip < n ? FAKE_PAGE - skip : n;

        if (fake_order(gfn) < 0)
            return false;
        if (!touched[gfn])
            memset(out, FAKE_SCRUB, part);
        else if (read_memory(out, part, (off_t)gpa) != (ssize_t)part)
            err(70, "reading guest memory");
        out += part;
        gpa += part;
        n -= part;
    }
    return true;
}

bool fake_write(uint64_t gpa, const void *src, size_t n)
{
    uint64_t gfn = gpa / FAKE_PAGE;

    return gpa % FAKE_PAGE + n <= FAKE_PAGE && fake_order(gfn) >= 0 && touched[gfn] &&
           syscall(SYS_pwrite64, memory, src, n, gpa) == (ssize_t)n;
}
