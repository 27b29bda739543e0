/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Preloaded into an xl that watches a guest: it stops itself where it sleeps, between the end of the old domain and the
 * making of the new one.  Stopped from outside it might be too late.
 */
#include <signal.h>
#include <unistd.h>

unsigned int sleep(unsigned int seconds)
{
    (void)seconds;
    raise(SIGSTOP);
    return 0;
}
