/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A build that a signal ends at one of its requests, in a process of its own.  It must die of that signal; whoever helped
 * it must end by itself, soon; a dump may be cut short, but brings no file that a whole one does not have, other than one
 * whose name is hidden because it is not whole.
 *
 * Where the request is pvboot-read's or pvboot-load's, only that one gets the signal: SIGKILL makes the build refuse with
 * one line, what can be blocked is blocked there.
 */
#include "dumped.h"
#include "sweep.h"

#include <err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SOON_MS 2000
#define LOOK_MS 1
#define LOADER_DIED "who fills the guest's memory died"

enum ended { BUILT, REFUSED, REFUSED_LOADER, WRONG };

struct death {
    int status;
    bool of_builder; /* the signal was for the process that builds */
    bool orphan;     /* of whoever helped it, somebody was still there after a while */
    const char *hit;
};

/* The builder's side, which judges a build that goes on. */
static _Noreturn void build(const struct run *run, const struct outcome *whole, FILE *out)
{
    static struct outcome o;
    const char *wrong;

    signal(-run->error, SIG_DFL); /* who started us may ignore it */
    sweep_build(run, &o);
    wrong = sweep_judge(run, &o, whole);
    if (wrong)
        fprintf(out, "wrong: %s: %s\n", wrong, o.text);
    _exit(wrong ? WRONG : !o.r.rc ? BUILT : strstr(o.text, LOADER_DIED) ? REFUSED_LOADER : REFUSED);
}

/* As init would: everybody who has lost their parent is ours.  False: somebody does not end. */
static bool reap_orphans(void)
{
    for (int ms = 0; ms < SOON_MS; ms += LOOK_MS) {
        pid_t pid;

        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            ;
        if (pid < 0)
            return true;
        nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * 1000000 }, NULL);
    }
    return false;
}

static void kill_one(const struct run *run, const struct outcome *whole, FILE *out, struct death *d)
{
    pid_t pid = fork();

    if (!pid)
        build(run, whole, out);
    if (pid < 0 || waitpid(pid, &d->status, 0) != pid)
        err(70, "no process to build in");
    d->of_builder = fault_hit_by() == pid;
    d->hit = fault_hit();
    d->orphan = !reap_orphans();
}

static bool is_refused(const struct death *d)
{
    return WIFEXITED(d->status) && (WEXITSTATUS(d->status) == REFUSED || WEXITSTATUS(d->status) == REFUSED_LOADER);
}

static const char *judge_alive(const struct run *run, const struct death *d)
{
    if (!WIFEXITED(d->status))
        return "died, although the signal was for another process";
    if (WEXITSTATUS(d->status) == WRONG)
        return "went wrong";
    if (is_refused(d) != (run->error == -SIGKILL))
        return "not as a helper ends that blocks what it can";
    return NULL;
}

static const char *judge(const struct run *run, const struct death *d, const char *carrier)
{
    const char *wrong = NULL;

    if (!d->hit)
        return "never came to that request";
    if (!d->of_builder)
        wrong = judge_alive(run, d);
    else if (!WIFSIGNALED(d->status) || WTERMSIG(d->status) != -run->error)
        wrong = "did not die of that signal";
    if (!wrong && d->orphan)
        wrong = "a process lives on";
    if (!wrong && dumped_strange(carrier))
        wrong = "a file that no whole dump has";
    if (!wrong && WIFEXITED(d->status) && dumped_hidden(carrier))
        wrong = "a half-written file, although nobody was killed who wrote one";
    return wrong;
}

static void one(const struct run *run, const char *carrier, const struct outcome *whole, FILE *out, struct tally *t)
{
    struct death d = { 0 };
    const char *wrong;

    kill_one(run, whole, out, &d);
    wrong = judge(run, &d, carrier);
    t->runs++;
    t->died += WIFSIGNALED(d.status);
    t->refused += is_refused(&d);
    t->loaders += WIFEXITED(d.status) && WEXITSTATUS(d.status) == REFUSED_LOADER;
    t->built += WIFEXITED(d.status) && WEXITSTATUS(d.status) == BUILT;
    t->wrong += wrong != NULL;
    if (wrong)
        fprintf(out, "wrong: %s: SIG%s at %s request %lu (%s) of the %s: status %#x\n", wrong,
                sigabbrev_np(-run->error), fault_site_name(run->site), run->n, d.hit ? d.hit : "-",
                d.of_builder ? "builder" : "helper", (unsigned int)d.status);
    if (d.orphan)
        exit(1); /* the next ones would all wait for it */
}

void sweep_signals(const unsigned long *requests, const char *carrier, const struct outcome *whole, FILE *out,
                   struct tally *t)
{
    static const int signals[] = { SIGTERM, SIGHUP, SIGKILL };

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    dumped_learn(carrier);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        for (enum fault_site s = 0; s < FAULT_SITES; s++)
            for (unsigned long n = 1; n <= requests[s]; n++)
                one(&(struct run){ .site = s, .n = n, .error = -signals[i] }, carrier, whole, out, t);
}
