/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The other end of the guest's console: its ring mapped, its event channel bound to us.  The ring is the guest's to
 * scribble on: its counters are read once and believed only within its size.  Spec: Xen public io/console.h.
 */
#include "launch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>
#include <xen/io/console.h>
#include <xenevtchn.h>

#define LEAVE 0x1d /* ^] */
#define PATIENCE_MS 200

struct launch_console {
    xenforeignmemory_handle *fmem;
    struct xencons_interface *ring;
    xenevtchn_handle *evtchn;
    int port;     /* ours */
    int out;      /* -1: nowhere */
    bool in_open; /* standard input has not ended yet */
    bool raw;     /* it is a terminal, which is set raw */
    struct termios was;
    char typed[1024]; /* what has been read of it, and for which the guest has no room yet */
    size_t n_typed;
};

static void set_raw(struct launch_console *c)
{
    struct termios t;

    if (tcgetattr(STDIN_FILENO, &c->was))
        return;
    t = c->was;
    cfmakeraw(&t);
    c->raw = !tcsetattr(STDIN_FILENO, TCSANOW, &t);
}

int launch_console_open(struct launch_console **out, const struct launch *l, struct pvboot_error *e)
{
    struct launch_console *c = calloc(1, sizeof(*c));
    xen_pfn_t gfn = launch_frame(l, l->machine.console_gpa);

    if (!c)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for a console");
    c->fmem = l->xen.fmem;
    c->in_open = !l->cfg->serves_xenstore && !l->cfg->left;
    c->out = c->in_open ? STDOUT_FILENO : l->cfg->verbose ? STDERR_FILENO : -1;
    c->ring = l->xen.call.xenforeignmemory_map(c->fmem, l->xen.domid, PROT_READ | PROT_WRITE, 1, &gfn, NULL);
    if (c->ring)
        c->evtchn = xenevtchn_open(NULL, 0);
    c->port = c->evtchn ? xenevtchn_bind_interdomain(c->evtchn, l->xen.domid, l->rings.console_evtchn) : -1;
    if (c->port < 0) {
        int r = errno;

        launch_console_close(c);
        return pvb_fail(e, PVBOOT_E_XEN, "attaching to the console of domain %u: errno %d", l->xen.domid, r);
    }
    if (c->in_open)
        set_raw(c);
    *out = c;
    return 0;
}

/* Somebody who does not read holds us up, and a signal ends that. */
static void write_all(int fd, const char *p, size_t n)
{
    while (fd >= 0 && n && !launch_signalled()) {
        struct pollfd out = { .fd = fd, .events = POLLOUT };
        ssize_t done = poll(&out, 1, PATIENCE_MS) > 0 ? write(fd, p, n) : 0;

        if (done < 0 && errno != EINTR)
            return;
        if (done > 0) {
            p += done;
            n -= (size_t)done;
        }
    }
}

/* What the guest has said, to where it belongs; once that is closed, to nowhere, so that the guest goes on. */
static void carry_out(struct launch_console *c)
{
    struct xencons_interface *r = c->ring;
    uint32_t prod = __atomic_load_n(&r->out_prod, __ATOMIC_ACQUIRE), cons = r->out_cons;
    char text[sizeof(r->out)];
    size_t n = prod - cons;

    if (n > sizeof(r->out)) /* no sane guest */
        cons = prod - (uint32_t)(n = sizeof(r->out));
    if (!n)
        return;
    for (size_t i = 0; i < n; i++)
        text[i] = r->out[MASK_XENCONS_IDX(cons + i, r->out)];
    __atomic_store_n(&r->out_cons, prod, __ATOMIC_RELEASE);
    xenevtchn_notify(c->evtchn, (evtchn_port_t)c->port);
    write_all(c->out, text, n);
}

static size_t room_in(const struct xencons_interface *r)
{
    uint32_t used = r->in_prod - __atomic_load_n(&r->in_cons, __ATOMIC_ACQUIRE);

    return used < sizeof(r->in) ? sizeof(r->in) - used : 0;
}

/* As much as the ring has room for. */
static void carry_in(struct launch_console *c)
{
    struct xencons_interface *r = c->ring;
    size_t room = room_in(r), n = c->n_typed < room ? c->n_typed : room;
    uint32_t prod = r->in_prod;

    for (size_t i = 0; i < n; i++)
        r->in[MASK_XENCONS_IDX(prod++, r->in)] = c->typed[i];
    if (!n)
        return;
    __atomic_store_n(&r->in_prod, prod, __ATOMIC_RELEASE);
    memmove(c->typed, c->typed + n, c->n_typed - n);
    c->n_typed -= n;
    xenevtchn_notify(c->evtchn, (evtchn_port_t)c->port);
}

/*
 * From a terminal always, since a guest that reads nothing must not keep ^] from us: what is typed beyond our room is lost.
 * From anything else only what there is room for.
 */
static bool listens(const struct launch_console *c)
{
    return c->in_open && (c->raw || c->n_typed < sizeof(c->typed));
}

/* True: ^] was in it. */
static bool read_typed(struct launch_console *c)
{
    char text[sizeof(c->typed)];
    size_t room = sizeof(c->typed) - c->n_typed, part;
    ssize_t n = read(STDIN_FILENO, text, c->raw ? sizeof(text) : room);

    if (n <= 0) {
        c->in_open = n < 0 && (errno == EINTR || errno == EAGAIN);
        return false;
    }
    if (c->raw && memchr(text, LEAVE, (size_t)n))
        return true;
    part = (size_t)n < room ? (size_t)n : room;
    memcpy(c->typed + c->n_typed, text, part);
    c->n_typed += part;
    return false;
}

bool launch_console_carry(struct launch_console *c, int ms)
{
    struct pollfd p[] = { { .fd = xenevtchn_fd(c->evtchn), .events = POLLIN },
                          { .fd = listens(c) ? STDIN_FILENO : -1, .events = POLLIN } };
    bool left = false;
    int n = poll(p, 2, ms);

    if (n > 0 && p[0].revents) {
        int port = xenevtchn_pending(c->evtchn);

        if (port >= 0)
            xenevtchn_unmask(c->evtchn, (evtchn_port_t)port);
    }
    carry_out(c);
    if (n > 0 && p[1].revents)
        left = read_typed(c);
    carry_in(c);
    return left;
}

void launch_console_close(struct launch_console *c)
{
    if (!c)
        return;
    if (c->raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &c->was);
    if (c->evtchn)
        xenevtchn_close(c->evtchn); /* and unbinds: xenconsoled may have the port */
    if (c->ring)
        xenforeignmemory_unmap(c->fmem, c->ring, 1);
    free(c);
}
