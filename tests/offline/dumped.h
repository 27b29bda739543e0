/* SPDX-License-Identifier: LGPL-2.1-only */
/* The directory that a carrier's dump= names: emptied before a build, compared after it. */
#ifndef OFFLINE_DUMPED_H
#define OFFLINE_DUMPED_H

#include <stdbool.h>
#include <stdint.h>

void dumped_clear(const char *carrier);
/* Of all names and contents; 0: no dump asked for. */
uint64_t dumped_digest(const char *carrier);
/* Remember the names that are there now; later, is there another one? */
void dumped_learn(const char *carrier);
bool dumped_strange(const char *carrier); /* also known: the hidden name that such a file has until it is whole */
bool dumped_hidden(const char *carrier);

#endif
