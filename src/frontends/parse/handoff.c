/* SPDX-License-Identifier: LGPL-2.1-only */
/* Arguments, descriptors, answer. */
#include "parse.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <pvboot/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define GAPS_MAX (16u << 20)

/* A number of a user or group that is neither root's nor no number. */
static bool is_id(unsigned long id)
{
    return id && id < UINT32_MAX;
}

static int take_arguments(struct pvb_handoff *x, int argc, char **argv)
{
    unsigned long uid, gid;

    if (argc != PVB_ARGS)
        return -1;
    x->strict = strcmp(argv[1], "best") != 0; /* whatever else it says is the stricter */
    x->unpack_always = !strcmp(argv[2], PVB_ARG_ELF);
    x->path = x->unpack_always ? PVBOOT_PATH_AUTO : pvboot_path_find(argv[2]);
    while (x->errand < PVB_ERRANDS && strcmp(argv[3], pvb_errand_name(x->errand)))
        x->errand++;
    x->caller = (pid_t)strtol(argv[4], NULL, 10);
    uid = strtoul(argv[5], NULL, 10);
    gid = strtoul(argv[6], NULL, 10);
    x->uid = (uid_t)uid;
    x->gid = (gid_t)gid;
    return x->path < PVBOOT_PATHS && x->errand < PVB_ERRANDS && is_id(uid) && is_id(gid) ? 0 : -1;
}

/*
 * Memory that could change or be cut under us would be no copy.  What is unpacked to a guest may come from the file itself,
 * as long as a lease keeps writers away: it outlasts us, and the caller looks whether it has before the guest may run.
 */
static bool stands_still(enum pvb_errand errand)
{
    int seals = fcntl(PVB_FD_FILE, F_GET_SEALS), want = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;

    if (seals >= 0 && (seals & want) == want)
        return true;
    return errand == PVB_PLACE && fcntl(PVB_FD_FILE, F_GETLEASE) == F_RDLCK;
}

static int map_file(struct pvb_handoff *x)
{
    struct stat st;
    void *p;

    if (!stands_still(x->errand) || fstat(PVB_FD_FILE, &st) || st.st_size <= 0 ||
        (uint64_t)st.st_size > PVBOOT_KERNEL_HARD_MAX)
        return -1;
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, PVB_FD_FILE, 0);
    if (p == MAP_FAILED)
        return -1;
    x->file = (struct pvboot_bytes){ p, (size_t)st.st_size };
    return close(PVB_FD_FILE);
}

static int read_frames(struct pvb_frames *f)
{
    ssize_t got;

    do
        got = read(PVB_FD_OUTPUT, f, sizeof(*f));
    while (got < 0 && errno == EINTR);
    return close(PVB_FD_OUTPUT) || got != (ssize_t)sizeof(*f) || pvb_frames_wrong(f) ? -1 : 0;
}

/* What lies between the segments is unpacked as well: have these pages at once, if they are no more than kernels have. */
static void populate_gaps(const struct pvb_handoff *x, const struct pvb_frames *f, size_t room)
{
    uint64_t end = 0;

    for (uint32_t i = 0; x->private_bytes <= GAPS_MAX && i <= f->n; i++) {
        uint64_t next = i < f->n ? f->row[i].off : room;

        if (next > end)
            (void)madvise(x->output + end, next - end, MADV_POPULATE_WRITE);
        end = i < f->n ? next + f->row[i].bytes : next;
    }
}

/* What is unpacked is contiguous here, and lies in the guest where its segments say. */
static int map_guest(struct pvb_handoff *x)
{
    struct pvb_frames f;
    size_t room;

    if (read_frames(&f))
        return -1;
    room = (size_t)((f.bytes + PVB_PAGE - 1) & ~(PVB_PAGE - 1));
    x->output_bytes = (size_t)f.bytes;
    x->private_bytes = room;
    x->output = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (x->output == MAP_FAILED)
        return -1;
    for (uint32_t i = 0; i < f.n; i++)
        x->private_bytes -= f.row[i].bytes;
    x->unmapped = pvb_map_frames(x->output, &f);
    if (!x->unmapped)
        populate_gaps(x, &f, room);
    return 0;
}

static int map_output(struct pvb_handoff *x)
{
    struct stat st;

    if (x->errand == PVB_PLACE)
        return map_guest(x);
    if (fstat(PVB_FD_OUTPUT, &st) || st.st_size <= 0 || (uint64_t)st.st_size > PVBOOT_UNPACKED_HARD_MAX)
        return -1;
    x->output_bytes = (size_t)st.st_size;
    x->output = mmap(NULL, x->output_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, PVB_FD_OUTPUT, 0);
    if (x->output == MAP_FAILED)
        return -1;
    (void)madvise(x->output, x->output_bytes, MADV_HUGEPAGE); /* where shared memory may have them: only faster */
    return 0;
}

/*
 * All from brk(): beside a guest's frames nothing may be unmapped or moved (seccomp.c).  What a decoder gives back goes with
 * the process, which takes a PV dom0 less time.
 */
static void keep_memory(void)
{
    (void)mallopt(M_MMAP_MAX, 0);
    (void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

int pvb_handoff_take(struct pvb_handoff *x, int argc, char **argv)
{
    keep_memory();
    prctl(PR_SET_NAME, "pvboot-parse"); /* it was executed through a descriptor, whose number would be its name */
    x->answer.magic = PVB_ANSWER_MAGIC;
    x->answer.bytes = sizeof(x->answer);
    snprintf(x->answer.version, sizeof(x->answer.version), "%s", PVBOOT_VERSION);
    return take_arguments(x, argc, argv) || map_file(x) || map_output(x) ? -1 : 0;
}

void pvb_handoff_fail(struct pvb_handoff *x, enum pvb_step step, const struct pvboot_error *e)
{
    x->answer.step = step;
    x->answer.code = e->code;
    memcpy(x->answer.text, e->text, sizeof(x->answer.text));
}

void pvb_handoff_answer(const struct pvb_handoff *x)
{
    bool sent = write(PVB_FD_ANSWER, &x->answer, sizeof(x->answer)) == (ssize_t)sizeof(x->answer);

    _exit(sent ? 0 : PVBOOT_E_INTERNAL);
}
