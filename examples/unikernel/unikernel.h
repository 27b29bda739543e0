/* SPDX-License-Identifier: LGPL-2.1-only */
/* A domain that is one small program: start info, PV console, xenstore.  Freestanding; Xen's public headers alone. */
#ifndef UNIKERNEL_H
#define UNIKERNEL_H

#define __XEN_INTERFACE_VERSION__ __XEN_LATEST_INTERFACE_VERSION__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>

/* entry.S */
int hypercall(unsigned int number, unsigned long a, const void *b);
extern uint8_t hypercall_page[4096], shared_page[4096];

/* xen.c */
bool xen_init(void);
uint64_t xen_param(uint32_t index); /* 0: none */
void xen_notify(uint32_t port);
void xen_wait(uint32_t port);
void xen_poweroff(void) __attribute__((noreturn));

/* console.c */
void console_init(void);
void say(const char *text);
void say_hex(uint64_t n);

/* store.c */
bool store_init(void); /* false: there is no xenstore */
void store_watch(const char *path);
/* Wait for the next watch event. */
void store_next_event(void);
/* The node's value, cut to @room bytes with NUL; "": none. */
void store_read(const char *path, char *value, size_t room);
void store_write(const char *path, const char *value);

#endif
