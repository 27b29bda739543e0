/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libxlutil is told a config's file when it is made and tells nobody again.  A program may have several, made in one order
 * and read in another.
 */
#include "xl.h"

#include <pthread.h>
#include <stdlib.h>

struct source {
    struct source *next;
    const XLU_Config *cfg;
    char name[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct source *sources;

static struct source **slot(const XLU_Config *cfg)
{
    struct source **p = &sources;

    while (*p && (*p)->cfg != cfg)
        p = &(*p)->next;
    return p;
}

bool pvb_cfg_source_set(const XLU_Config *cfg, const char *name)
{
    struct source *s = malloc(sizeof(*s) + strlen(name) + 1);

    if (!s)
        return false;
    s->cfg = cfg;
    strcpy(s->name, name);
    pvb_cfg_source_drop(cfg); /* of one that was destroyed behind our back */
    pthread_mutex_lock(&lock);
    s->next = sources;
    sources = s;
    pthread_mutex_unlock(&lock);
    return true;
}

/* It stays where it is until its config is destroyed, which is not while somebody reads it. */
const char *pvb_cfg_source(const XLU_Config *cfg)
{
    const struct source *s;

    pthread_mutex_lock(&lock);
    s = *slot(cfg);
    pthread_mutex_unlock(&lock);
    return s ? s->name : "";
}

void pvb_cfg_source_drop(const XLU_Config *cfg)
{
    struct source **p, *s;

    pthread_mutex_lock(&lock);
    p = slot(cfg);
    s = *p;
    if (s)
        *p = s->next;
    pthread_mutex_unlock(&lock);
    free(s);
}
