/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * pair ROUNDS SHIM KERNEL CARRIER CARRIER: two domains built alone, then both at once in two threads, ROUNDS times.  Each
 * has a fake hypervisor of its own, and must come out the same to the last byte.
 */
#include "build.h"

#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STACK_BYTES (16ul << 20) /* a fake's list of calls is in its thread's own storage */
#define SECONDS 120

struct outcome {
    struct offline_result result;
    uint64_t memory;
    HVM_SAVE_TYPE(CPU) cpu;
    size_t n_calls;
};

struct job {
    struct offline_case what;
    struct outcome out;
    pthread_barrier_t *start; /* NULL: alone */
};

static void *build(void *ctx)
{
    struct job *job = ctx;
    xc_interface *xch = xc_interface_open(NULL, NULL, XC_OPENFLAG_DUMMY);

    if (!xch)
        errx(70, "xc_interface_open");
    memset(&job->out, 0, sizeof(job->out));
    offline_begin(&job->what, NULL);
    close(FAKE_FRAMES_FD); /* alone the parser would be given the guest's pages, and of two it cannot tell which */
    if (job->start)
        pthread_barrier_wait(job->start);
    offline_build(xch, &job->what, &job->out.result);
    job->out.memory = fake_digest();
    job->out.cpu = fake.vcpu[0].cpu;
    job->out.n_calls = fake.n_calls;
    if (job->out.result.rc || fake.broken || fake.maps || fake.handles)
        errx(1, "%s: %s, %s", job->what.shim_cmdline, job->out.result.failed, fake.broken);
    xc_interface_close(xch);
    fake_end();
    return NULL;
}

static void run(struct job *job, size_t n)
{
    pthread_t thread[2];
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    for (size_t i = 0; i < n; i++)
        if (pthread_create(&thread[i], &attr, build, &job[i]))
            errx(70, "pthread_create");
    for (size_t i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
    pthread_attr_destroy(&attr);
}

int main(int argc, char **argv)
{
    pthread_barrier_t start;
    struct outcome alone[2];
    struct job job[2];

    if (argc != 6)
        errx(64, "pair ROUNDS SHIM KERNEL CARRIER CARRIER");
    alarm(SECONDS);
    for (size_t i = 0; i < 2; i++) {
        job[i] = (struct job){ .what = { .shim = argv[2],
                                         .kernel = argv[3],
                                         .shim_cmdline = argv[4 + i],
                                         .cmdline = i ? "second" : "first",
                                         .memory_mib = i ? 96 : 64,
                                         .maxmem_mib = i ? 96 : 64,
                                         .vcpus = 1 } };
        run(&job[i], 1);
        alone[i] = job[i].out;
    }
    if (alone[0].memory == alone[1].memory)
        errx(1, "two guests that should differ do not");
    pthread_barrier_init(&start, NULL, 2);
    job[0].start = job[1].start = &start;
    for (unsigned long round = strtoul(argv[1], NULL, 10); round; round--) {
        run(job, 2);
        for (size_t i = 0; i < 2; i++)
            if (memcmp(&job[i].out, &alone[i], sizeof(alone[i])))
                errx(1, "%s: not as when it was built alone", argv[4 + i]);
    }
    return 0;
}
