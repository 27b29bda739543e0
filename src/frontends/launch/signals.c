/* SPDX-License-Identifier: LGPL-2.1-only */
/* A signal only leaves a mark: what is half made is taken apart by who made it, at the next step. */
#include "launch.h"

#include <signal.h>

static volatile sig_atomic_t came;

static void note(int signo)
{
    came = signo;
}

void launch_signals(void)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction sa = { .sa_handler = note }; /* no SA_RESTART: who waits is to wake up */

    came = 0;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct sigaction was;

        /* nohup's SIGHUP and a background job's SIGINT stay ignored */
        if (!sigaction(signals[i], NULL, &was) && was.sa_handler != SIG_IGN)
            sigaction(signals[i], &sa, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
}

int launch_signalled(void)
{
    return came;
}

int launch_interrupted(struct pvboot_error *e)
{
    int signo = came;

    if (!signo)
        return 0;
    pvb_fail(e, PVBOOT_E_HOST, "interrupted by signal %d", signo);
    return -128 - signo;
}
