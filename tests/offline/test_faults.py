# SPDX-License-Identifier: LGPL-2.1-only
"""Whatever Xen or the host refuses, at each single request: one line says so, or the guest is exactly as without the
fault; nothing stays behind.  The sweeps are C programs (sweep.c); here are their inputs and the config's own sweep."""
import concurrent.futures
import errno
import os
import re
import signal
import subprocess

import pytest

ENTRIES = ["linux64", "linux32", "pvh", "vmlinux64", "auto", "stub"]
IN_MEMORY = ["linux64", "pvh"]
CACHED = ["pvh", "vmlinux64"]
ON_DEMAND = ["linux64", "pvh"]  # with less memory than the guest may have one day
LARGE = 12 << 20  # of a ramdisk that another process loads
SIGNALS = 3  # SIGTERM, SIGHUP, SIGKILL
SITES = {"alloc": [errno.ENOMEM], "open": [errno.EACCES, errno.EMFILE, errno.ENOENT, errno.EIO],
         "read": [errno.EIO, errno.EINTR, errno.ENOMEM], "write": [errno.ENOSPC, errno.EINTR],
         "memory": [errno.ENOMEM, errno.EMFILE, errno.EINVAL, errno.EPERM],
         "process": [errno.EAGAIN, errno.ENOMEM, errno.EPERM, errno.EINTR]}

# A smaller extent is what a builder asks for next; what was interrupted is repeated.  The one calloc is libelf's, while
# the stub is looked at: without an answer the domain is ours.  The malloc is a path for messages.  A file without a
# lease is watched instead, a memfd without MFD_NOEXEC_SEAL will do, a parser's status may be somebody else's to reap.
# What fails while only head and tail of a kernel are parsed is tried again with all of it, helper and memory included.
# Not every kernel can restrict a handle; a file system that is not known, a file whose mount is not, is read the slower way.
# Without a process to load by, the builder loads.
# A dump's directory that has no file of an earlier one will do as well (ENOENT).  Without the cache, or an entry of it, a
# build unpacks the kernel, and one line says so (judge.c); a file system that cannot tell of holes is read.
ABSORBED = {"xc_domain_populate_physmap", "calloc", "malloc", "read", "pread", "write", "poll", "fcntl", "memfd_create",
            "waitid", "unlinkat", "fstatfs", "xenforeignmemory_restrict", "realloc", "ftruncate", "pipe2",
            "posix_spawn", "pidfd_open", "recvmsg", "open", "fopen", "openat", "fstat", "mmap", "fork", "socketpair"}


@pytest.fixture(scope="module")
def sweep(build, plugin, files, tmp_path_factory):
    """sweep(name) is what came of a whole sweep; all of them start at once, as many at a time as there are processors."""
    dump, cut = tmp_path_factory.mktemp("dump"), tmp_path_factory.mktemp("cut")
    stub = plugin.parent / "pvboot-stub.elf"
    cache = tmp_path_factory.mktemp("cache")
    subprocess.run([build / "pvboot", "cache", "add", "--cache", cache, files / "bzimage"], check=True, capture_output=True)
    large = tmp_path_factory.mktemp("large") / "ramdisk"
    with large.open("wb") as f:
        f.write(b"070701")
        f.truncate(LARGE)

    def run(carrier, *more, ramdisk=files / "initrd"):
        command = [build / "tests/offline/sweep", stub, files / "bzimage", ramdisk, carrier, *more]
        return subprocess.run(command, env={"LD_PRELOAD": str(plugin)}, capture_output=True, text=True, timeout=1800)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {"dump": pool.submit(run, f"pvboot entry=linux64 digests=yes rng_seed=yes dump={dump}")}
        for entry in ENTRIES:
            jobs[entry] = pool.submit(run, f"pvboot entry={entry}")
        for entry in IN_MEMORY:
            jobs[f"{entry} in memory"] = pool.submit(run, f"pvboot entry={entry}", "in-memory")
        for entry in ON_DEMAND:
            jobs[f"{entry} on demand"] = pool.submit(run, f"pvboot entry={entry}", "on-demand")
        jobs["apart"] = pool.submit(run, "pvboot entry=linux64", "apart", ramdisk=large)
        for entry in CACHED:
            jobs[f"{entry} cached"] = pool.submit(run, f"pvboot entry={entry} cache={cache}")
        jobs["linux64 killed"] = pool.submit(run, f"pvboot entry=linux64 dump={cut}", "signals")
        jobs["apart killed"] = pool.submit(run, "pvboot entry=linux64", "apart-signals", ramdisk=large)
        jobs["pvh killed"] = pool.submit(run, "pvboot entry=pvh", "signals")

        def result(name):
            done = jobs[name].result()
            print(done.stdout)
            assert done.returncode == 0, done.stdout[:3000] + done.stderr
            figures = done.stdout.splitlines()[-1]
            requests = re.findall(r"(\w+) (\d+)", figures.split("requests", 1)[1].split(";")[0])
            assert set(figures.split("absorbed:")[1].split()) <= ABSORBED
            return {kind: int(n) for kind, n in requests}, int(re.search(r"(\d+) builds", figures)[1])
        result.loaders = lambda name: int(re.search(r"(\d+) of them by who loads", jobs[name].result().stdout)[1])
        yield result


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_request_of_a_build(sweep, entry):
    requests, builds = sweep(entry)
    if entry == "stub":
        assert requests["xen"] == 0  # all libxenguest's
        return
    # claim, populate in two sizes, release; 2 for each thing written; special pages, 10 params; 3 of the vCPU
    assert requests["xen"] >= 25 and requests["alloc"] >= 8 and requests["open"] == (4 if entry.startswith("linux") else 5)
    assert requests["memory"] >= 10 and requests["process"] >= 5
    assert builds >= 6 * requests["xen"] + requests["alloc"] + 5 * requests["open"] + 3 * requests["read"]


@pytest.mark.parametrize("entry", CACHED)
def test_every_request_with_a_cache(sweep, entry):
    """The directory, the key and the entry are opened; there is no helper to start."""
    requests, _ = sweep(f"{entry} cached")
    usual, _ = sweep(entry)
    assert requests["open"] == usual["open"] + 2 and requests["process"] < usual["process"]


def test_what_is_loaded_by_another_process(sweep):
    """What Xen refuses there is said here; without such a process the builder loads by itself."""
    requests, builds = sweep("apart")
    usual, _ = sweep("linux64")
    assert requests["process"] > usual["process"] and builds == requests["xen"] + requests["process"]


@pytest.mark.parametrize("entry", IN_MEMORY)
def test_every_request_with_images_in_memory(sweep, entry):
    requests, _ = sweep(f"{entry} in memory")
    assert requests["open"] == 0


@pytest.mark.parametrize("entry", ON_DEMAND)
def test_every_request_with_memory_on_demand(sweep, entry):
    requests, _ = sweep(f"{entry} on demand")
    usual, _ = sweep(entry)
    assert requests["xen"] > usual["xen"]  # xc_domain_set_pod_target


@pytest.mark.parametrize("entry", ["linux64", "pvh"])
def test_signals_at_every_request(sweep, entry):
    requests, builds = sweep(f"{entry} killed")
    assert builds == SIGNALS * sum(requests.values()) and requests["xen"] >= 25 and requests["process"] >= 5


def test_signals_at_who_loads(sweep):
    """SIGKILL at each request that pvboot-load makes to Xen or of a file ends the build with one line of ours."""
    requests, builds = sweep("apart killed")
    assert builds == SIGNALS * (requests["xen"] + requests["read"])
    assert sweep.loaders("apart killed") > 6


def test_every_request_of_a_dump(sweep):
    requests, _ = sweep("dump")
    assert requests["write"] >= 8


@pytest.fixture
def read_config(xl, files, tmp_path):
    """Read one config with @fail's fault; what came of it, and how many requests of each kind there were."""
    def read(fail="", **env):
        counts = tmp_path / "counts"
        counts.unlink(missing_ok=True)
        done = xl(f'name="g"\nuuid="5f3b8e5a-7f0e-4c64-9f4c-0d8f5b1f0c11"\nbuilder="pvboot"\npvboot_entry="linux64"\n'
                  f'pvboot_digests=1\npvboot_subarch="xen"\nkernel="{files / "bzimage"}"\nmemory=64\n',
                  PVBOOT_FAIL=fail, PVBOOT_FAIL_COUNT=str(counts), **env)
        return done, dict(line.split() for line in counts.read_text().splitlines()) if counts.exists() else {}
    return read


def test_host_that_cannot_look(xl, read_config):
    """No descriptor left: who asked for pvboot hears why; who only has the word in the config gets what xl gives."""
    done, counts = read_config(f"open:1:{errno.EMFILE}")
    lines = [line for line in done.stderr.splitlines() if "pvboot:" in line]
    assert done.returncode == 1 and len(lines) == 1 and lines[0].startswith("pvboot: host: "), done.stderr
    text = 'name="pvboot"\nuuid="5f3b8e5a-7f0e-4c64-9f4c-0d8f5b1f0c11"\ntype="pvh"\nkernel="/x"\nmemory=64\n'
    other, stock = xl(text, PVBOOT_FAIL=f"open:1:{errno.EMFILE}"), xl(text, preload=None)
    assert (other.returncode, other.stdout) == (0, stock.stdout)


def test_every_request_while_a_config_is_read(read_config):
    whole, counts = read_config()
    assert whole.returncode == 0 and int(counts["alloc"]) > 50 and int(counts["read"]) >= 3, whole.stderr
    wrong, refused, undigested, aborted = [], 0, 0, 0
    for site, errors in SITES.items():
        for nth in range(1, int(counts[site]) + 1):
            for error in errors:
                done, _ = read_config(f"{site}:{nth}:{error}")
                ours = [line for line in done.stderr.splitlines() if "pvboot:" in line]
                refused += done.returncode != 0
                undigested += ": no digests: " in done.stderr
                bad = False
                if done.returncode == 0:
                    bad = done.stdout != whole.stdout or ours
                elif done.returncode == -signal.SIGABRT and re.search("in libgcrypt: |^Fatal error: ", done.stderr, re.M):
                    aborted += 1  # libgcrypt's first use, which is here because here is no domain yet
                else:  # libxlutil has its own words for its own allocations
                    bad = done.returncode < 0 or len(ours) > 1 or not done.stderr or done.stdout
                if bad:
                    wrong.append((site, nth, error, done.returncode, done.stderr))
    print(f"config: requests {counts}, {refused} refused")
    assert not wrong, wrong[:5]
    assert undigested == 2 and aborted  # EMFILE and EIO; not even libgcrypt's first use is left for later


def test_signals_while_a_config_is_read(read_config):
    """xl dies of it; or it hit pvboot-read, which SIGKILL alone ends: one line says so, else the config is as without."""
    far = {"PVBOOT_FAR": "1"}  # else xl reads for itself
    whole, counts = read_config(f"alloc:{10**6}:{errno.ENOMEM}", **far)  # counts from where a fault does
    wrong, died, lived = [], 0, 0
    for site, last in counts.items():
        for nth in range(1, int(last) + 1):
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
                done, _ = read_config(f"{site}:{nth}:-{int(number)}", **far)
                if done.returncode == -number and not done.stdout:
                    died += 1
                    continue
                lived += 1
                ours = re.findall("^pvboot: host: .*: who read it died", done.stderr, re.M)
                got = done.returncode, done.stdout, len(ours), done.stderr.count("pvboot:")
                if got != ((1, "", 1, 1) if number == signal.SIGKILL else (0, whole.stdout, 0, 0)):
                    wrong.append((site, nth, number, done.returncode, done.stderr))
    print(f"config: {died} died, {lived} lived on")
    assert not wrong, wrong[:5]
    assert died > lived > 0, (died, lived)
