/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Finds the assignments of an xl.cfg with their lines, for messages that name file and line.  Values are read by
 * libxlutil itself; this only has to agree with its lexer on what is a string, a comment, a list and a statement.
 */
#include "base.h"

#include <ctype.h>
#include <stdio.h>

struct scanner {
    struct pvboot_bytes text;
    size_t at;
    unsigned int line, depth; /* of brackets */
};

static int peek(const struct scanner *s)
{
    return s->at < s->text.len ? s->text.p[s->at] : -1;
}

static void skip_string(struct scanner *s)
{
    int quote = peek(s);

    for (s->at++; s->at < s->text.len && peek(s) != quote && peek(s) != '\n'; s->at++)
        if (peek(s) == '\\')
            s->at++;
    s->at++;
}

static void skip_comment(struct scanner *s)
{
    while (s->at < s->text.len && peek(s) != '\n')
        s->at++;
}

static bool word_byte(int c)
{
    return c >= 0 && (isalnum(c) || c == '_' || c == '.');
}

/* Is the word at [@start, at) followed by = or +=, outside brackets? */
static bool assigns(const struct scanner *s)
{
    size_t i = s->at;

    while (i < s->text.len && (s->text.p[i] == ' ' || s->text.p[i] == '\t'))
        i++;
    if (i < s->text.len && s->text.p[i] == '+')
        i++;
    return !s->depth && i < s->text.len && s->text.p[i] == '=';
}

static void step(struct scanner *s)
{
    int c = peek(s);

    if (c == '"' || c == '\'') {
        skip_string(s);
    } else if (c == '#') {
        skip_comment(s);
    } else {
        s->line += c == '\n';
        s->depth += c == '[';
        s->depth -= c == ']' && s->depth;
        s->at++;
    }
}

bool pvb_cfg_scan(struct pvboot_bytes text, size_t *at, unsigned int *line, struct pvb_cfg_statement *st)
{
    struct scanner s = { .text = text, .at = *at, .line = *line };
    bool found = false;

    while (!found && s.at < text.len) {
        size_t start = s.at;

        if (!word_byte(peek(&s))) {
            step(&s);
            continue;
        }
        while (word_byte(peek(&s)))
            s.at++;
        found = assigns(&s);
        if (found) {
            snprintf(st->key, sizeof(st->key), "%.*s", (int)(s.at - start), (const char *)text.p + start);
            st->line = s.line;
        }
    }
    *at = s.at;
    *line = s.line;
    return found;
}
