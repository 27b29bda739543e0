/* SPDX-License-Identifier: LGPL-2.1-only */
/* What is around a run of the helper: what must not change, and what may be odd or absent. */
#ifndef SURROUNDINGS_H
#define SURROUNDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Of this process: descriptors, mappings, children. */
struct surroundings {
    size_t fds, mapped;
};
void surroundings_take(struct surroundings *s);
void surroundings_assert(const struct surroundings *s, const char *after);
/* One descriptor may have come or gone: the helper's program stays open. */
void surroundings_assert_but_program(const struct surroundings *s);

/* A descriptor like the one the library gives the helper to unpack to. */
int output_memory(void);

/* The child of @pid that runs in a helper's confinement; 0: none yet. */
pid_t confined_child_of(pid_t pid);
bool is_running(pid_t pid);

/* Callers. */
void odd_no_stdio(void), odd_ignores_children(void), odd_handles_children(void), odd_thief(void), odd_timer(void),
    odd_blocks_all_signals(void), odd_small_files(void);
void odd_few_descriptors(int n); /* no more than @n can be opened */

/* Hosts. */
void lack_close_range(void), lack_limits(void), lack_users(void), lack_capset(void), lack_death_signal(void),
    lack_dumpable(void), lack_no_new_privs(void), lack_landlock(void), lack_no_descriptors(void), lack_seccomp(void);

#endif
