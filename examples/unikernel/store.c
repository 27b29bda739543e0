/* SPDX-License-Identifier: LGPL-2.1-only */
/* xenstore through its ring, one request at a time.  Spec: Xen public io/xs_wire.h, docs/misc/xenstore.txt. */
#include "unikernel.h"

#include <xen/hvm/params.h>
#include <xen/io/xs_wire.h>

static struct xenstore_domain_interface *ring;
static uint32_t port;
static unsigned int events; /* that came while a reply was waited for */

bool store_init(void)
{
    ring = (void *)(uintptr_t)(xen_param(HVM_PARAM_STORE_PFN) << 12);
    port = (uint32_t)xen_param(HVM_PARAM_STORE_EVTCHN);
    return ring && port;
}

static void put(const void *src, size_t n)
{
    const char *p = src;

    while (n) {
        XENSTORE_RING_IDX prod = ring->req_prod;

        if (prod - __atomic_load_n(&ring->req_cons, __ATOMIC_ACQUIRE) == XENSTORE_RING_SIZE) {
            xen_wait(port);
            continue;
        }
        ring->req[MASK_XENSTORE_IDX(prod)] = *p++;
        __atomic_store_n(&ring->req_prod, prod + 1, __ATOMIC_RELEASE);
        n--;
    }
}

/* @dst NULL: to nowhere. */
static void get(void *dst, size_t n)
{
    char *p = dst;

    while (n) {
        XENSTORE_RING_IDX cons = ring->rsp_cons;

        if (__atomic_load_n(&ring->rsp_prod, __ATOMIC_ACQUIRE) == cons) {
            xen_wait(port);
            continue;
        }
        if (p)
            *p++ = ring->rsp[MASK_XENSTORE_IDX(cons)];
        __atomic_store_n(&ring->rsp_cons, cons + 1, __ATOMIC_RELEASE);
        n--;
    }
    xen_notify(port);
}

static size_t length(const char *text)
{
    size_t n = 0;

    while (text[n])
        n++;
    return n;
}

static struct xsd_sockmsg next_message(char *body, size_t room)
{
    struct xsd_sockmsg m;
    size_t n;

    get(&m, sizeof(m));
    n = m.len < room ? m.len : room;
    get(body, n);
    get(NULL, m.len - n);
    return m;
}

/* Two parts, of which the first has its NUL; the reply's bytes at @body, how many there are as the result. */
static size_t ask(uint32_t type, const char *path, const char *more, size_t more_bytes, char *body, size_t room)
{
    struct xsd_sockmsg m = { .type = type, .len = (uint32_t)(length(path) + 1 + more_bytes) };

    put(&m, sizeof(m));
    put(path, length(path) + 1);
    put(more, more_bytes);
    xen_notify(port);
    for (;;) {
        m = next_message(body, room);
        if (m.type != XS_WATCH_EVENT)
            return m.type != type ? 0 : m.len < room ? m.len : room;
        events++;
    }
}

void store_watch(const char *path)
{
    char reply[16];

    ask(XS_WATCH, path, "u", sizeof("u"), reply, sizeof(reply));
}

void store_next_event(void)
{
    while (!events)
        if (next_message(NULL, 0).type == XS_WATCH_EVENT)
            events++;
    events--;
}

void store_read(const char *path, char *value, size_t room)
{
    value[ask(XS_READ, path, NULL, 0, value, room - 1)] = 0;
}

void store_write(const char *path, const char *value)
{
    char reply[16];

    ask(XS_WRITE, path, value, length(value), reply, sizeof(reply));
}
