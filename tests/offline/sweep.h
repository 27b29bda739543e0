/* SPDX-License-Identifier: LGPL-2.1-only */
/* One faulted build of the sweep, and what may have come of it. */
#ifndef OFFLINE_SWEEP_H
#define OFFLINE_SWEEP_H

#include "build.h"

#include <stdio.h>

struct run {
    enum fault_site site;
    unsigned long n;
    int error;
    bool persist;   /* all later requests of that site fail as well */
    bool everybody; /* libxenguest's own requests count, too */
    bool stock;     /* the in-guest stub: libxenguest says what went wrong, in its own log */
};

struct outcome {
    struct offline_result r;
    uint64_t digest, dumped; /* of the guest, and of what dump= wrote */
    char text[4096];         /* on standard error */
    unsigned int lines;
    long blocks, mappings; /* made and not given back */
    int descriptors;
    bool child;      /* one was left */
    bool hidden;     /* the dump's directory has a file that never got its name */
    const char *hit; /* the request that failed */
};

/* NULL: as it should be; else what is wrong.  @whole is the build without a fault. */
const char *sweep_judge(const struct run *run, const struct outcome *o, const struct outcome *whole);
bool sweep_left_clean(const struct run *run, const struct outcome *o);

/* Build once with @run's fault. */
void sweep_build(const struct run *run, struct outcome *o);

struct tally {
    unsigned long runs, died, refused, built, wrong;
    unsigned long loaders; /* of those refused: it was who loads that was killed, and the line says so */
};

/*
 * killed.c: each of a build's @requests once more with each signal that ends a process; @carrier names the dump's directory.
 * What is wrong goes to @out.
 */
void sweep_signals(const unsigned long *requests, const char *carrier, const struct outcome *whole, FILE *out,
                   struct tally *t);

#endif
