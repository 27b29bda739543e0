/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a parser that has been taken over might try.  Linked into the attacking helper and into its judge. */
#ifndef ATTACK_H
#define ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Descriptors the judge leaves open for the helper to find. */
#define PLANTED_FILE 77
#define PLANTED_SOCKET 78
/* A file it may try to remove. */
#define ATTACK_FILE "/tmp/pvboot-attack"

struct attack {
    const char *name;
    int (*run)(void); /* 0: it worked; errno: it was refused */
    bool alone;       /* nothing but seccomp is meant to stop it */
};
extern const struct attack attacks[];
extern const size_t n_attacks;

/* Memory the helper has, for those who need some. */
extern uint8_t *attack_output;
extern int attack_caller;

/* The order, which the judge writes where the kernel should be. */
struct order {
    char magic[8];
    uint32_t layers; /* to put on */
    char name[32];
};
#define ORDER_MAGIC "ATTACK!"

#endif
