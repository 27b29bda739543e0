/* SPDX-License-Identifier: LGPL-2.1-only */
/* How like two words are: for suggestions. The in-guest stub, which has to stay small, makes none. */
#ifndef PVB_WORDS_H
#define PVB_WORDS_H

#include <stddef.h>

#define PVB_WORDS_CLOSE 2u /* up to this distance one may have been meant for the other */

/* Letters to insert, delete or change to get from @a to @b (Levenshtein); SIZE_MAX when one is too long to say. */
size_t pvb_words_distance(const char *a, const char *b);

#endif
