/* SPDX-License-Identifier: LGPL-2.1-only */
/* Lines are folded for people alone: what is no terminal gets them whole. */
#include "cli.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NARROWEST 20u /* of what is left for text: else it is not worth it */

/* Columns; 0: no terminal. */
static size_t terminal_width(void)
{
    struct winsize size = { 0 };

    return isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? size.ws_col : 0;
}

/* How much of @text goes on a line of @room: up to a space, or a word that is longer than that. */
static size_t line_bytes(const char *text, size_t room)
{
    size_t n = strlen(text), at = room;

    if (n <= room)
        return n;
    while (at && text[at] != ' ')
        at--;
    return at ? at : strcspn(text, " ");
}

void cli_fold(int column, const char *first, const char *text)
{
    size_t width = terminal_width(), used = (size_t)column;

    printf("%s", first);
    while (width >= used + NARROWEST && strlen(text) > width - used) {
        size_t n = line_bytes(text, width - used);

        if (!text[n])
            break;
        printf("%.*s\n%*s", (int)n, text, column, "");
        text += n + 1;
    }
    printf("%s\n", text);
}
