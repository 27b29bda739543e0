/* SPDX-License-Identifier: LGPL-2.1-only */
/* System calls, made without libc: by number, with arguments that do no harm where they are let through. */
#include "../../src/builder/base/base.h"
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define X32 0x40000000

uint8_t *attack_output;
int attack_caller;

/* Inline, so that a child which shares our stack has no return address to spoil. */
static inline long raw(long nr, long a, long b, long c, long d, long f)
{
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = f, r9 __asm__("r9") = 0;
    long r;

    __asm__ volatile("syscall"
                     : "=a"(r)
                     : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return r;
}

static int outcome(long r)
{
    return r < 0 && r > -4096 ? (int)-r : 0;
}

#define P(x) ((long)(intptr_t)(x))
/* An attack that is one call. */
#define CALL(name, nr, a, b, c, d, f)                     \
    static int do_##name(void)                            \
    {                                                     \
        return outcome(raw(nr, (a), (b), (c), (d), (f))); \
    }
/* One that may come back twice: the second time it ends at once. */
#define FORK(name, nr, a, b)                    \
    static int do_##name(void)                  \
    {                                           \
        long r = raw(nr, (a), (b), 0, 0, 0);    \
                                                \
        if (!r)                                 \
            raw(SYS_exit_group, 0, 0, 0, 0, 0); \
        return outcome(r);                      \
    }

static const char root[] = "/", file[] = "/etc/hostname", program[] = "/bin/true";
static const char ours[] = ATTACK_FILE, new[] = ATTACK_FILE "-new";
static char *const no_words[] = { NULL };
static char buf[64];
static struct iovec local = { buf, sizeof(buf) }, remote = { buf, sizeof(buf) };
static const struct sockaddr_un address = { AF_UNIX, "/run/xenstored/socket" };
static uint64_t zeroes[32]; /* an empty open_how, clone_args, bpf_attr, ... */
static uint64_t clone_args[11] = { [4] = SIGCHLD };
static const struct rlimit much = { RLIM_INFINITY, RLIM_INFINITY };
static uint32_t perf_attr[32] = { 1 /* software */, sizeof(perf_attr) };
static uint32_t pair[2];
static uint32_t handle[8] = { 8, 1 };
static uint32_t array_map[32] = { 2, 4, 4, 1 }; /* union bpf_attr: an array of one */
static uint32_t cap_head[2] = { 0x20080522, 0 }, cap_data[6] = { ~0u, ~0u, ~0u, ~0u, ~0u, ~0u };

CALL(open, SYS_open, P(file), O_RDONLY, 0, 0, 0)
CALL(openat, SYS_openat, AT_FDCWD, P(file), O_RDONLY, 0, 0)
CALL(openat2, SYS_openat2, AT_FDCWD, P(file), P(zeroes), 24, 0)
CALL(creat, SYS_creat, P(new), 0600, 0, 0, 0)
CALL(open_by_handle_at, SYS_open_by_handle_at, AT_FDCWD, P(handle), 0, 0, 0)
CALL(execve, SYS_execve, P(program), P(no_words), P(no_words), 0, 0)
CALL(execveat, SYS_execveat, AT_FDCWD, P(program), P(no_words), P(no_words), 0)
FORK(fork, SYS_fork, 0, 0)
FORK(vfork, SYS_vfork, 0, 0)
FORK(clone, SYS_clone, SIGCHLD, 0)
FORK(clone3, SYS_clone3, P(clone_args), sizeof(clone_args))
CALL(socket, SYS_socket, AF_UNIX, SOCK_STREAM, 0, 0, 0)
CALL(socketpair, SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, P(pair), 0)
CALL(connect, SYS_connect, PLANTED_SOCKET, P(&address), sizeof(address), 0, 0)
CALL(sendto, SYS_sendto, PLANTED_SOCKET, P(buf), 1, 0, 0)
CALL(ptrace, SYS_ptrace, 0x4206 /* SEIZE */, attack_caller, 0, 0, 0)
CALL(ioctl, SYS_ioctl, PLANTED_FILE, 0x541b /* FIONREAD */, P(buf), 0, 0)
CALL(kill, SYS_kill, attack_caller, 0, 0, 0, 0)
CALL(tgkill, SYS_tgkill, attack_caller, attack_caller, 0, 0, 0)
CALL(pidfd_open, SYS_pidfd_open, attack_caller, 0, 0, 0, 0)
CALL(process_vm_readv, SYS_process_vm_readv, attack_caller, P(&local), 1, P(&remote), 1)
CALL(process_vm_writev, SYS_process_vm_writev, attack_caller, P(&local), 1, P(&remote), 1)
CALL(mmap_exec, SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1)
CALL(mmap_fd, SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, PLANTED_FILE)
CALL(mmap_shared, SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1)
CALL(mprotect_exec, SYS_mprotect, P(attack_output), 4096, PROT_READ | PROT_EXEC, 0, 0)
CALL(pkey_mprotect, SYS_pkey_mprotect, P(attack_output), 4096, PROT_READ | PROT_EXEC, -1, 0)
CALL(mremap_fixed, SYS_mremap, P(attack_output), 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED,
     P(attack_output + (1 << 20)))
CALL(madvise_remove, SYS_madvise, P(attack_output), 4096, MADV_REMOVE, 0, 0)
CALL(mlock, SYS_mlock, P(attack_output), 4096, 0, 0, 0)
CALL(io_uring_setup, SYS_io_uring_setup, 1, P(zeroes), 0, 0, 0)
CALL(bpf, SYS_bpf, 0, P(array_map), sizeof(array_map), 0, 0)
CALL(userfaultfd, SYS_userfaultfd, 1 /* user mode only */, 0, 0, 0, 0)
CALL(memfd_create, SYS_memfd_create, P(root), 0, 0, 0, 0)
CALL(setuid, SYS_setuid, 0, 0, 0, 0, 0)
CALL(setgid, SYS_setgid, 0, 0, 0, 0, 0)
CALL(setresuid, SYS_setresuid, 0, 0, 0, 0, 0)
CALL(capset, SYS_capset, P(cap_head), P(cap_data), 0, 0, 0)
CALL(chroot, SYS_chroot, P(root), 0, 0, 0, 0)
CALL(mount, SYS_mount, P(root), P(root), P(root), 0x1000 /* bind */, 0)
CALL(unshare, SYS_unshare, 0x10000000 /* new user namespace */, 0, 0, 0, 0)
CALL(setns, SYS_setns, PLANTED_FILE, 0, 0, 0, 0)
CALL(prctl, SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0)
CALL(seccomp, SYS_seccomp, 2 /* is an action there? */, 0, P(zeroes), 0, 0)
CALL(x32, X32 | SYS_getpid, 0, 0, 0, 0, 0)
CALL(perf_event_open, SYS_perf_event_open, P(perf_attr), 0, -1, -1, 0)
CALL(keyctl, SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1, 0, 0)
CALL(add_key, SYS_add_key, P("user"), P("pvboot"), P(buf), 1, KEY_SPEC_PROCESS_KEYRING)
CALL(shmget, SYS_shmget, 0x70766274, 4096, 0, 0, 0)
CALL(msgget, SYS_msgget, 0x70766274, 0, 0, 0, 0)
CALL(semget, SYS_semget, 0x70766274, 1, 0, 0, 0)
CALL(mq_open, SYS_mq_open, P("pvboot"), O_CREAT | O_RDWR, 0600, 0, 0)
CALL(inotify_init, SYS_inotify_init1, 0, 0, 0, 0, 0)
CALL(fanotify_init, SYS_fanotify_init, 0, 0, 0, 0, 0)
CALL(timerfd_create, SYS_timerfd_create, 1, 0, 0, 0, 0)
CALL(eventfd, SYS_eventfd2, 0, 0, 0, 0, 0)
CALL(epoll_create, SYS_epoll_create1, 0, 0, 0, 0, 0)
CALL(pipe, SYS_pipe2, P(pair), 0, 0, 0, 0)
CALL(dup, SYS_dup, 2, 0, 0, 0, 0)
CALL(read_planted, SYS_read, PLANTED_FILE, P(buf), 1, 0, 0)
CALL(read_input, SYS_read, 0, P(buf), 1, 0, 0)
CALL(read_pipe, SYS_read, 2, P(buf), 1, 0, 0)
CALL(write_planted, SYS_write, PLANTED_FILE, P(buf), 1, 0, 0)
CALL(write_output, SYS_write, 1, P(buf), 1, 0, 0)
CALL(pwrite_planted, SYS_pwrite64, PLANTED_FILE, P(buf), 1, 0, 0)
CALL(pwrite_input, SYS_pwrite64, 0, P(buf), 1, 0, 0)
CALL(pread_output, SYS_pread64, 1, P(buf), 1, 0, 0)
CALL(pwritev_output, SYS_pwritev, 1, P(&local), 1, 0, 0)
CALL(lseek_output, SYS_lseek, 1, 0, SEEK_SET, 0, 0)
CALL(mmap_output, SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 1)
CALL(cut_output, SYS_ftruncate, 1, 0, 0, 0, 0)
CALL(ftruncate_output, SYS_ftruncate, 1, 1l << 40, 0, 0, 0)
CALL(fallocate_output, SYS_fallocate, 1, 0, 0, 1l << 40, 0)
CALL(add_seals, SYS_fcntl, 1, F_ADD_SEALS, F_SEAL_SEAL, 0, 0)
CALL(prlimit_raise, SYS_prlimit64, 0, RLIMIT_NOFILE, P(&much), 0, 0)
CALL(setrlimit_raise, SYS_setrlimit, RLIMIT_NOFILE, P(&much), 0, 0, 0)
CALL(unlink, SYS_unlink, P(ours), 0, 0, 0, 0)
CALL(rename, SYS_rename, P(ours), P(new), 0, 0, 0)
CALL(mkdir, SYS_mkdir, P(new), 0700, 0, 0, 0)
CALL(symlink, SYS_symlink, P(root), P(new), 0, 0, 0)
CALL(chmod, SYS_chmod, P(ours), 0644, 0, 0, 0)
CALL(stat, SYS_newfstatat, AT_FDCWD, P(file), P(zeroes), 0, 0)
CALL(readlink, SYS_readlink, P("/proc/self/exe"), P(buf), sizeof(buf), 0, 0)
CALL(getpid, SYS_getpid, 0, 0, 0, 0, 0)
CALL(uname, SYS_uname, P(zeroes), 0, 0, 0, 0)
CALL(init_module, SYS_init_module, P(buf), 1, P(root), 0, 0)
CALL(kexec_load, SYS_kexec_load, 0, 0, 0, 0, 0)
CALL(iopl, SYS_iopl, 3, 0, 0, 0, 0)
CALL(modify_ldt, SYS_modify_ldt, 0, P(buf), sizeof(buf), 0, 0)
CALL(rt_sigaction, SYS_rt_sigaction, SIGUSR1, 0, 0, 8, 0)
CALL(nanosleep, SYS_nanosleep, P(zeroes), 0, 0, 0, 0)
CALL(settimeofday, SYS_settimeofday, P(zeroes), 0, 0, 0, 0)
CALL(sched_setaffinity, SYS_sched_setaffinity, 0, 0, 0, 0, 0)
CALL(landlock, SYS_landlock_create_ruleset, 0, 0, 1, 0, 0)

static int do_int80(void)
{
    long r = 20; /* getpid() of 32-bit programs */

    __asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
    return outcome(r);
}

#define A(name) PVB_ROW(#name, do_##name, false)
#define ALONE(name) PVB_ROW(#name, do_##name, true)

const struct attack attacks[] = {
    A(open),
    A(openat),
    A(openat2),
    A(creat),
    A(open_by_handle_at),
    A(execve),
    A(execveat),
    A(fork),
    A(vfork),
    A(clone),
    A(clone3),
    A(socket),
    A(socketpair),
    A(connect),
    A(sendto),
    A(ptrace),
    A(ioctl),
    A(kill),
    A(tgkill),
    A(pidfd_open),
    A(process_vm_readv),
    A(process_vm_writev),
    ALONE(mmap_exec),
    A(mmap_fd),
    ALONE(mmap_shared),
    ALONE(mprotect_exec),
    ALONE(pkey_mprotect),
    ALONE(mremap_fixed),
    ALONE(madvise_remove),
    A(mlock),
    A(io_uring_setup),
    A(bpf),
    A(userfaultfd),
    A(memfd_create),
    A(setuid),
    A(setgid),
    A(setresuid),
    A(capset),
    A(chroot),
    A(mount),
    ALONE(unshare),
    A(setns),
    ALONE(prctl),
    ALONE(seccomp),
    A(x32),
    ALONE(int80),
    A(perf_event_open),
    ALONE(keyctl),
    ALONE(add_key),
    ALONE(shmget),
    ALONE(msgget),
    ALONE(semget),
    A(mq_open),
    A(inotify_init),
    A(fanotify_init),
    A(timerfd_create),
    A(eventfd),
    A(epoll_create),
    A(pipe),
    A(dup),
    A(read_planted),
    A(read_input),
    A(read_pipe),
    A(write_planted),
    ALONE(write_output),
    A(pwrite_planted),
    A(pwrite_input),
    ALONE(pread_output),
    ALONE(pwritev_output),
    ALONE(lseek_output),
    ALONE(mmap_output),
    ALONE(cut_output),
    A(ftruncate_output),
    A(fallocate_output),
    ALONE(add_seals),
    A(prlimit_raise),
    A(setrlimit_raise),
    A(unlink),
    A(rename),
    A(mkdir),
    A(symlink),
    ALONE(chmod),
    ALONE(stat),
    ALONE(readlink),
    ALONE(getpid),
    ALONE(uname),
    A(init_module),
    A(kexec_load),
    A(iopl),
    ALONE(modify_ldt),
    ALONE(rt_sigaction),
    ALONE(nanosleep),
    A(settimeofday),
    ALONE(sched_setaffinity),
    ALONE(landlock),
};
const size_t n_attacks = sizeof(attacks) / sizeof(attacks[0]);
