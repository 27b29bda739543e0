# SPDX-License-Identifier: LGPL-2.1-only
"""pvboot launch as far as it goes without Xen: options, files, plans, and what is refused before a domain exists."""
import json
import struct

import images
import pytest


@pytest.fixture(autouse=True)
def built(pvboot):
    if not (pvboot.path.parent / "pvboot-launch").exists():
        pytest.skip("pvboot-launch is not built: no Xen headers")


@pytest.fixture
def config(tmp_path, kernel):
    """config("key = value", ...): a file with these lines and a kernel."""
    def make(*lines):
        path = tmp_path / "guest.cfg"
        path.write_text("".join(f"{line}\n" for line in ('kernel = "%s"' % kernel, *lines)))
        return path
    return make


def refusal(done):
    assert done.stdout == "" and done.stderr.count("\n") == 1, done
    return done.returncode, done.stderr


def test_a_dry_run_is_the_plan_on_a_machine_of_its_own(pvboot, kernel, ramdisk):
    options = "--memory", 256, "--vcpus", 2, "--ramdisk", ramdisk, "--cmdline", "quiet"
    plan = json.loads(pvboot.ok("launch", "--dry-run", *options, kernel))
    stock = pvboot.json("plan", "--rng-seed", "yes", *options, kernel)
    assert plan["entry"] == stock["entry"] == "linux64" and plan["vcpu"] == stock["vcpu"]
    by_name = {s["name"]: s for s in plan["segments"]}
    assert by_name.keys() == {s["name"] for s in stock["segments"]}
    assert [s for s in plan["segments"] if s["name"] != "acpi"] == [s for s in stock["segments"] if s["name"] != "acpi"]
    assert (by_name["acpi"]["start"], by_name["acpi"]["end"]) == (0xfc000000, 0xfc001000)


@pytest.fixture
def pv_kernel(tmp_path):
    path = tmp_path / "pv"
    path.write_bytes(images.elf(images.pv_notes()))
    return path


def test_a_pv_domain_is_planned_and_dumped(pvboot, pv_kernel, ramdisk, tmp_path):
    """Offsets: Xen public xen.h, struct start_info of a 64-bit guest; offline each page is its own frame."""
    options = "--entry", "pv", "--memory", 32, "--ramdisk", ramdisk, "--cmdline", "quiet"
    plan = json.loads(pvboot.ok("launch", "--dry-run", *options, pv_kernel))
    same = pvboot.json("plan", *options, pv_kernel)
    assert all(plan[key] == same[key] for key in ("entry", "memmap", "segments", "vcpu", "pv"))
    assert plan["memmap"] == [{"start": 0, "end": 32 << 20, "type": 1}] and plan["rsdp_gpa"] == 0
    assert int(plan["vcpu"]["rip"], 16) == images.PV_BASE + images.LOAD
    pvboot.ok("dump", *options, "-o", tmp_path / "dump", pv_kernel)
    at = {s["name"]: s["start"] for s in plan["segments"]}
    page = (tmp_path / "dump/start-info").read_bytes()
    assert page[:15] == b"xen-3.0-x86_64\0" and page[128:134] == b"quiet\0"
    pages, = struct.unpack_from("<Q", page, 32)
    store, = struct.unpack_from("<Q", page, 56)
    console, = struct.unpack_from("<Q", page, 72)
    root, tables, listed, module, module_bytes = struct.unpack_from("<5Q", page, 88)
    assert (pages, store * 4096, console * 4096) == (8192, at["special pages"], at["special pages"] + 4096)
    assert (root, listed) == (images.PV_BASE + at["page tables"], images.PV_BASE + at["p2m"])
    assert (module, module_bytes) == (images.PV_BASE + at["ramdisk"], ramdisk.stat().st_size)
    assert (tmp_path / "dump/page-tables").stat().st_size == tables * 4096
    assert (tmp_path / "dump/p2m").read_bytes()[:8 * pages] == b"".join(struct.pack("<Q", n) for n in range(pages))


def test_a_file_of_type_pv(pvboot, config, pv_kernel):
    path = config('type = "pv"', 'pvboot_entry = "pv"', "memory = 32")
    plan = pvboot.ok("launch", "--dry-run", "-f", path, pv_kernel)
    assert plan == pvboot.ok("launch", "--dry-run", "--entry", "pv", "--memory", 32, pv_kernel)
    contradicted = refusal(pvboot("launch", "--dry-run", "-f", config('type = "pvh"', 'pvboot_entry = "pv"')))[1]
    assert 'type="pvh" in the file contradicts entry pv' in contradicted


def ramdisk_bytes(said):
    return next(s["bytes"] for s in json.loads(said)["segments"] if s["name"] == "ramdisk")


def test_ramdisks_as_for_plan_and_for_xl(pvboot, config, kernel, ramdisk, tmp_path):
    """A directory stands for its files; in a file a list, or one string."""
    directory = tmp_path / "ramdisks"
    directory.mkdir()
    for name in "ab":
        (directory / name).write_bytes(name.encode() * 5000)
    wanted = pvboot.json("plan", "--ramdisk", directory, "--ramdisk", ramdisk, kernel)["segments"]
    wanted = next(s["bytes"] for s in wanted if s["name"] == "ramdisk")
    assert ramdisk_bytes(pvboot.ok("launch", "--dry-run", "--ramdisk", directory, "--ramdisk", ramdisk, kernel)) == wanted
    for said in (f'["{directory}", "{ramdisk}"]', f'"{directory},{ramdisk}"'):
        assert ramdisk_bytes(pvboot.ok("launch", "--dry-run", "-f", config(f"pvboot_ramdisks = {said}"))) == wanted


def test_the_node_has_digests_where_they_are_asked_for(pvboot, kernel, tmp_path):
    plain, digests = (json.loads(pvboot.ok("launch", "--dry-run", *options, kernel)) for options in ([], ["--digests"]))
    sizes = [next(s["bytes"] for s in plan["segments"] if s["name"] == "setup_data") for plan in (plain, digests)]
    assert sizes[1] > sizes[0]


def test_no_pv_domain(pvboot, kernel, pv_kernel, elf):
    assert refusal(pvboot("launch", "--dry-run", "--entry", "pv", kernel))[0] == 67
    assert "no XEN_VERSION note" in refusal(pvboot("launch", "--dry-run", "--entry", "pv", elf))[1]
    rc, said = refusal(pvboot("launch", "--dry-run", "--entry", "pv", "--timers", pv_kernel))
    assert (rc, "timers contradict entry pv" in said) == (64, True)
    assert pvboot.json("inspect", pv_kernel)["entries"]["pv"] == {"ok": True, "gpa": images.LOAD, "why": ""}
    assert not pvboot.json("inspect", elf)["entries"]["pv"]["ok"]
    assert pvboot.json("plan", kernel)["entry"] == "linux64" and pvboot.json("plan", kernel)["pv"] is None


def test_entry_stub_is_the_image_that_pack_makes(pvboot, kernel, ramdisk, tmp_path):
    image = tmp_path / "packed"
    inside = "--ramdisk", ramdisk, "--cmdline", "quiet", "--force-subarch", "--subarch", "xen", "--strict"
    pvboot.ok("pack", *inside, "--entry", "linux32", "-o", image, kernel)
    ours, packed = tmp_path / "ours", tmp_path / "other"
    pvboot.ok("launch", "--dry-run", "--dump", ours, "--entry", "stub", "--stub-entry", "linux32", *inside, kernel)
    pvboot.ok("launch", "--dry-run", "--dump", packed, "--entry", "pvh", image)
    names = sorted(path.name for path in ours.iterdir())
    assert names == sorted(path.name for path in packed.iterdir()) and len(names) >= 4
    assert all((ours / name).read_bytes() == (packed / name).read_bytes() for name in names)


def test_a_seed_as_under_xl(pvboot, kernel, config, tmp_path):
    """Each guest has another one, unless it is not wanted; the stub, which hands over none, does not mind the default."""
    def seeds(name, *options):
        pvboot.ok("launch", "--dry-run", "--dump", tmp_path / name, *options)
        chain = pvboot.json("decode", "--check", "--setup-data", tmp_path / name / "setup_data", "--base",
                            {s["name"]: s["gpa"] for s in json.loads((tmp_path / name / "manifest.json").read_text())["segments"]}["setup_data"])
        return [node["data"] for node in chain["nodes"] if node["type_name"] == "rng_seed"]
    one, two = seeds("one", kernel), seeds("two", kernel)
    assert len(one) == len(two) == 1 and one != two
    assert seeds("off", "--rng-seed", "no", kernel) == [] == seeds("file", "-f", config("pvboot_rng_seed = 0"))
    pvboot.ok("launch", "--dry-run", "--entry", "stub", kernel)


def test_a_file_says_what_options_say(pvboot, config, kernel):
    path = config('name = "g"', "memory = 300", "vcpus = 2", 'root = "/dev/xvda ro"', 'extra = "quiet"', 'builder = "pvboot"',
                  'type = "pvh"', 'pvboot_entry = "linux32"', 'on_crash = "preserve"')
    plan = pvboot.ok("launch", "--dry-run", "-f", path)
    assert plan == pvboot.ok("launch", "--dry-run", "--memory", 300, "--vcpus", 2, "--cmdline", "root=/dev/xvda ro quiet",
                             "--entry", "linux32", kernel)


def test_the_command_line_overrides_the_file_wherever_it_stands(pvboot, config, ramdisk, tmp_path):
    path = config("memory = 300", 'ramdisk = "/nowhere"')
    plan = json.loads(pvboot.ok("launch", "--dry-run", "--memory", 200, "--ramdisk", ramdisk, "-f", path))
    assert plan["memory_bytes"] == 200 << 20
    bytes_of = {s["name"]: s["end"] - s["start"] for s in plan["segments"]}
    assert bytes_of["ramdisk"] == -(-ramdisk.stat().st_size // 4096) * 4096


@pytest.mark.parametrize("lines, code, says", [
    (["disk = [ 'phy:/dev/x,xvda,w' ]"], 67, "unsupported: {}: line 2: disk: launch has no such thing; xl create has"),
    (["vif = [ '' ]"], 67, "unsupported: {}: line 2: vif: launch has no such thing; xl create has"),
    (["pvboot_ramdisks = [ '/a', ['/b'], '/c' ]"], 64, "usage: {}: line 2: pvboot_ramdisks: want a list of paths without commas"),
    (["pvboot_ramdisks = [ '/a,/b' ]"], 64, "usage: {}: line 2: pvboot_ramdisks: want a list of paths without commas"),
    (["memory = 'x'"], 64, "usage: {}: line 2: memory: memory 'x' is not a number"),
    (["type = 'hvm'"], 64, 'usage: {}: line 2: type: "hvm": want "pvh" or "pv"'),
    (["builder = 'linux'"], 64, 'usage: {}: line 2: builder: "linux": want "pvboot"'),
    (["pvboot_entri = 1"], 64, "usage: {}: line 2: pvboot_entri: unknown key 'entri': did you mean 'entry'?"),
    (["pvboot_memory = 1"], 64, "usage: {}: line 2: pvboot_memory: without pvboot_ in front"),
    (["cmdline = 'a'", "extra = 'b'"], 64, "usage: {}: line 2: cmdline: cmdline contradicts root and extra"),
    (["x = ["], 64, "usage: {}: line 2: config parsing error"),
    (["on_reboot = 'rename-restart'"], 64, "usage: {}: line 2: on_reboot: on_reboot 'rename-restart': want destroy, preserve"),
    (["pvboot_timers = 2"], 64, "usage: {}: line 2: pvboot_timers: timers '2': want 0 or 1"),
])
def test_a_file_that_cannot_be_followed_is_refused_by_line(pvboot, config, lines, code, says):
    path = config(*lines)
    rc, said = refusal(pvboot("launch", "--dry-run", "-f", path))
    assert rc == code and said.startswith("pvboot: " + says.format(path)), said


@pytest.mark.parametrize("said, options, wrong", [
    ("pvh", [], None), ("pvh", ["--entry", "pv"], "pvh"), ("pv", ["--entry", "pv"], None), ("pv", [], "pv"),
    ("pv", ["--entry", "linux64"], "pv"),
])
def test_the_files_type_and_the_command_lines_entry(pvboot, config, pv_kernel, said, options, wrong):
    path = config(f"type = '{said}'")
    done = pvboot("launch", "--dry-run", "--memory", 64, *options, "-f", path, *([pv_kernel] if "pv" in options else []))
    if not wrong:
        assert done.returncode == 0, done.stderr
    else:
        rc, text = refusal(done)
        entry = options[1] if options else "auto"
        assert rc == 64 and text == f'pvboot: usage: type="{wrong}" in the file contradicts entry {entry}\n', text


@pytest.mark.parametrize("options, code, says", [
    (["--paused", "--wait"], 64, "--paused leaves nothing to wait for"),
    (["--on-reboot", "restart"], 64, "restart needs somebody who waits"),
    (["--on-soft-reset", "soft-reset"], 64, "soft-reset needs somebody who waits"),
    (["--name", "7"], 64, "not all digits"),
    (["--name", "a b"], 64, "byte 2 is none of letters"),
    (["--name", "x" * 64], 64, "want 1 to 63 bytes"),
    (["--uuid", "12"], 64, "not 32 hexadecimal digits"),
    (["--uuid", "0" * 33], 64, "not 32 hexadecimal digits"),
    (["--vcpus", "129"], 64, "vcpus '129' is over 128"),
    (["--vcpus", "0"], 64, "a guest without a vCPU"),
    (["--memory", "-1"], 64, "is not a number"),
    (["--memory", "512", "--maxmem", "256"], 64, "less than memory"),
    (["--memory", "8388609"], 64, "is over 8388608"),
    (["--memory", "8"], 69, "nofit"),
    (["--entry", "stub", "--rng-seed", "yes"], 67, "entry stub: the stub hands over no rng_seed"),
    (["--entry", "stub", "--stub-entry", "pvh"], 64, "stub_entry 'pvh' is not one of auto, linux32, linux64"),
    (["--entry", "stub", "--cmdline", "x" * 5000], 68, "limit"),
    (["--cmdline", "x" * 5000], 68, "limit"),
    (["--ramdisk", "/nonexistent"], 66, "/nonexistent"),
    (["--wrong"], 64, "option '--wrong' is unknown"),
    (["--memory"], 64, "one kernel|no kernel|needs a value|not a number"),
    (["-f", "/nonexistent"], 66, "/nonexistent"),
])
def test_refused_before_xen_is_opened(pvboot, kernel, options, code, says):
    rc, said = refusal(pvboot("launch", *options, kernel))
    assert rc == code and any(text in said for text in says.split("|")), said


def test_without_xen_it_says_so(pvboot, kernel):
    done = pvboot("launch", "--sandbox", "best", kernel)
    assert done.returncode == 72 and "pvboot: xen: opening Xen's interfaces" in done.stderr


@pytest.mark.parametrize("verb", ["launch", "list", "destroy"])
def test_help(pvboot, verb):
    assert "usage:" in pvboot.ok(verb, "--help")


def test_the_offline_program_needs_none_of_xens_libraries(pvboot):
    import subprocess
    assert "libxen" not in subprocess.run(["ldd", pvboot.path], capture_output=True, text=True).stdout
