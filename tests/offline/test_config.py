# SPDX-License-Identifier: LGPL-2.1-only
"""xl.cfg through the stock xl of this machine: `xl create -n` reads the config, prints what libxl would be given, and
stops before it makes a domain."""
import json
import pathlib
import re
import shutil
import subprocess

import pytest

BASE = 'name="guest"\nuuid="5f3b8e5a-7f0e-4c64-9f4c-0d8f5b1f0c11"\nmemory=64\nvcpus=2\n'


@pytest.fixture
def config(files):
    """A config that asks for pvboot; @lines are added, @without removes the line of a key."""
    def make(lines="", kernel="bzimage", builder='builder="pvboot"\n', without=""):
        text = f'{BASE}{builder}kernel="{files / kernel}"\nramdisk="{files / "initrd"}"\ncmdline="console=hvc0"\n{lines}'
        return "".join(line for line in text.splitlines(True) if not without or not line.startswith(without))
    return make


@pytest.mark.parametrize("builder, lines, note", [
    ("", 'pvboot_entry="linux64"\npvboot_strict=1\n', 'line 8: pvboot_entry does nothing without builder="pvboot"'),
    ('type="pvh"\n', '# pvboot_x=1\npvboot_entri=7\n', 'line 10: pvboot_entri does nothing without builder="pvboot"'),
    ("", 'extra="pvboot_entry=1"\n', None),
    ('type="pvh"\n', 'pvboot_entry="linux65"\npvboot_nonsense=[1]\n',
     'line 9: pvboot_entry does nothing without builder="pvboot"'),
    ("", "# builder=\"pvboot\", pvboot_entry\n", None),
])
def test_keys_without_a_builder_get_one_line_and_nothing_else(xl, config, builder, lines, note):
    text = config(lines, builder=builder)
    done, stock = xl(text), xl(text, preload=None)
    assert stock.returncode == done.returncode == 0 and done.stdout == stock.stdout
    said = [line for line in done.stderr.splitlines() if line not in stock.stderr.splitlines()]
    assert [re.sub(r"/\S*/", "", line) for line in said] == ([f"pvboot: note: guest.cfg: {note}"] if note else [])


def shim(plugin, extra):
    """What the carrier is in stock words."""
    return (f'type="pvh"\npvshim=1\npvshim_path="{plugin.parent / "pvboot-stub.elf"}"\npvshim_cmdline="pvboot"\n'
            f'pvshim_extra="{extra}"\n')


def accepted(done):
    assert done.returncode == 0, done.stderr
    assert "pvboot:" not in done.stderr
    return json.loads(done.stdout)


def refused(done, pattern):
    """One line from us, and no domain description."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("pvboot:")]
    assert len(lines) == 1, done.stderr
    assert re.search(pattern, lines[0]), lines[0]
    assert done.returncode not in (0, None) and done.returncode > 0
    assert done.stdout == ""
    return lines[0]


def test_builder_is_accepted(xl, config, plugin, files):
    got = accepted(xl(config('pvboot_entry="linux64"\n')))
    assert got["c_info"]["type"] == "pvh"
    assert got["b_info"]["kernel"] == str(files / "bzimage")
    assert got["b_info"]["cmdline"] == "console=hvc0"
    assert got["b_info"]["type.pvh"] == {"pvshim": "True", "pvshim_path": str(plugin.parent / "pvboot-stub.elf"),
                                         "pvshim_cmdline": "pvboot", "pvshim_extra": "entry=linux64"}


@pytest.mark.parametrize("lines,extra", [
    ("", ""),
    ('pvboot_entry="linux32"\n', "entry=linux32"),
    ('pvboot_entry="linux64"\npvboot_subarch="xen"\npvboot_hypervisor="none"\n', "entry=linux64 subarch=xen hypervisor=none"),
    ("pvboot_entry='linux64' # with a remark: pvboot_entry=\"pvh\"\n", "entry=linux64"),
    ("pvboot_subarch=2\n", "subarch=2"),
    ('pvboot_strict=1;pvboot_entry="linux64";\n', "strict=1 entry=linux64"),
    ('  pvboot_entry  =\t"linux64"', "entry=linux64"),
    ('extra="a # \\" pvboot_entry=1"\npvboot_entry="linux64"\n', "entry=linux64"),
    ('disk=[ "pvboot_entry=1,w" ]\npvboot_entry="linux64"\n', "entry=linux64"),
    ('pvboot_dump="/tmp/guest"\n', "dump=/tmp/guest"),
    ('pvboot_dump="/tmp/guest,1"\n', "dump=/tmp/guest,1"),
    ('type="pvh"\npvboot_entry="auto"\n', "entry=auto"),
    ('builder="hvm"\nbuilder="pvboot"\n', ""),
], ids=range(13))
def test_is_what_stock_xl_reads_from_the_carrier(xl, config, plugin, lines, extra):
    """Byte for byte the description that a hand-written carrier gives without the plugin."""
    if "disk=" in lines:
        lines = lines.replace("pvboot_entry=1,w", "phy:/dev/pvboot_entry,xvda,w")
    done = xl(config(lines))
    accepted(done)
    stock = xl(config(lines + "\n" + shim(plugin, extra), builder="").replace('builder="hvm"\nbuilder="pvboot"\n', ""), preload=None)
    assert stock.returncode == 0, stock.stderr
    assert done.stdout == stock.stdout


@pytest.mark.parametrize("lines,pattern", [
    ('pvboot_entri="linux64"\n', r"usage: .*guest\.cfg: line 9: pvboot_entri: .*'entri': did you mean 'entry'\?$"),
    ('pvboot_colour="red"\n', r"usage: .*guest\.cfg: line 9: pvboot_colour"),
    ('pvboot_entry="linux65"\n', r"usage: .*guest\.cfg: line 9: pvboot_entry.*linux65"),
    ('\n\n# remark\npvboot_entry="linux65"\n', r"usage: .*guest\.cfg: line 12: "),
    ('pvboot_entry="linux64"\nmemory=65\npvboot_entry="linux64"\n', r"line 11: pvboot_entry.*twice"),
    ('pvboot_entry=["linux64"]\n', r"line 9: pvboot_entry.*one string"),
    ("pvboot_subarch=12x\n", r"line 9: pvboot_subarch.*12x"),
    ('pvboot_subarch="12x"\n', r"line 9: pvboot_subarch.*12x"),
    ('pvboot_subarch=""\n', r"line 9: pvboot_subarch: subarch '' is not "),
    ('pvboot_subarch=4294967296\n', r"line 9: pvboot_subarch: subarch '4294967296' is not "),
    ('pvboot_strict="maybe"\n', r"line 9: pvboot_strict.*maybe"),
    ('pvboot_entry="linux64 subarch=xen"\n', r"line 9: pvboot_entry: entry 'linux64 subarch=xen' is not "),
    ('pvboot_kernel_max=0\n', r"line 9: pvboot_kernel_max: .*'0' is not a number of MiB from 1 to 1024"),
    ('pvboot_unpacked_max=1025\n', r"line 9: pvboot_unpacked_max: .*'1025'"),
    ('pvboot_ramdisk_max="2048"\n', r"line 9: pvboot_ramdisk_max: .*'2048' is not a number of MiB from 1 to 2047"),
    ('pvboot_dump="relative"\n', r"line 9: pvboot_dump: .*=relative: want an absolute "),
    ('pvboot_dump="/tmp/a b"\n', r"line 9: pvboot_dump: .*=/tmp/a b: want an .* without spaces"),
    ('pvboot_dump="/tmp/a\x1b[2J"\n', r"line 9: pvboot_dump: dump=/tmp/a\\x1b\[2J: want an .* control bytes"),
    ('pvboot_dump="/tmp/a\x07"\n', r"dump=/tmp/a\\x07: want an .* control bytes"),
    ('pvboot_dump="/tmp/a\tb"\n', r"dump=/tmp/a\\x09b: want an .* control bytes"),
    ('pvboot_dump="/tmp/a,b sandbox=off"\n', r"dump=/tmp/a,b sandbox=off: want an .* without spaces"),
    ("pvboot_dump='/tmp/a,\"\\nname=\"other'\n", r'dump=/tmp/a,"\\x0aname="other: want an .* quotes'),
    ("pvboot_ramdisks='/tmp/a,/b\"\\nname=\"other'\n", r'ramdisks=/tmp/a,/b"\\x0aname="other: want .* quotes'),
    ('pvboot_ramdisks="/a,/b\x7f"\n', r"ramdisks=/a,/b\\x7f: want absolute .* control bytes"),
    ('pvboot_ramdisks="/a\x01,/b"\n', r"ramdisks=/a\\x01,/b: want absolute .* control bytes"),
    ('pvboot_=1\n', r"line 9: pvboot_: unknown key '': "),
    ('pvboot_subarch="-1"\n', r"usage: .*guest\.cfg: line 9: pvboot_subarch.*'-1'"),
    ('pvboot_subarch="1e3"\n', r"usage: .*guest\.cfg: line 9: pvboot_subarch.*'1e3'"),
    ("pvboot_subarch=1e3\n", r"usage: .*guest\.cfg: line 9: pvboot_subarch.*'1e3'"),
    ("pvboot_subarch=18446744073709551616\n", r"usage: .*line 9: pvboot_subarch.*'18446744073709551616'"),
    ('pvboot_subarch="18446744073709551618"\n', r"usage: .*line 9: pvboot_subarch.*'18446744073709551618'"),
    ('type="pv"\n', r'usage: .*guest\.cfg: line 9: type="pv" contradicts builder="pvboot"'),
    ('type="hvm"\n', r'usage: .*line 9: type="hvm" contradicts'),
    ('type="pvh"\n\ntype="hvm"\n', r'usage: .*line 11: type="hvm" contradicts'),
    ("pvshim=1\n", r"line 9: pvshim contradicts"),
    ('pvshim_path="/x"\n', r"line 9: pvshim_path contradicts"),
    ('pvshim_cmdline="x"\n', r"line 9: pvshim_cmdline contradicts"),
    ('pvshim_extra="entry=pvh"\n', r"line 9: pvshim_extra contradicts"),
    ('vif=[\n"",\n""]\npvboot_entry="linux65"\n', r"line 12: pvboot_entry: entry 'linux65' "),
])
def test_refused_with_file_and_line(xl, config, lines, pattern):
    refused(xl(config(lines)), pattern)


@pytest.mark.parametrize("lines,cmdline", [("", ""), ('extra=""\n', ""), ('extra="a"\n', "a"),
                                           ('root="/dev/x"\n', "root=/dev/x"), ('root="/dev/x"\nextra="a"\n', "root=/dev/x a")])
def test_guest_always_has_a_command_line(xl, restore, config, lines, cmdline):
    """owner.c knows a guest of ours by it; a saved domain's text says it again."""
    text = config(lines, without="cmdline")
    assert accepted(xl(text))["b_info"]["cmdline"] == cmdline
    assert understood(restore(text))["b_info"]["cmdline"] == cmdline


def test_command_line_on_xls_command_line(xl, config):
    assert accepted(xl(config(without="cmdline"), 'extra="b"'))["b_info"]["cmdline"] == "b"


def test_suggests_what_was_meant(xl, config):
    assert refused(xl(config('pvboot_subarhc="xen"\n')), "subarhc").endswith(": did you mean 'subarch'?")


def test_all_keys_are_in_the_manual(xl, config):
    """Whoever mistypes one is told of each that there is, and docs/xl.md explains it."""
    line = refused(xl(config('pvboot_colour="red"\n')), "there are ")
    manual = (pathlib.Path(__file__).parents[2] / "docs/xl.md").read_text()
    told = set(line.split("there are ")[1].split(", "))
    assert told == set(re.findall(r"^\| `pvboot_(\w+)` \|", manual, re.M)) and len(told) == 15


@pytest.mark.parametrize("lines,kernel,pattern", [
    ('pvboot_kernel_max=1\n', "large", r"^pvboot: limit: .*large: 3145728 bytes, limit 1048576$"),
    ('pvboot_entry="linux64"\n', "text", r"^pvboot: unsupported: .*text: "),
    ('pvboot_entry="linux64"\n', "bzimage32", r"^pvboot: unsupported: .*bzimage32: .*linux64"),
    ('pvboot_entry="linux32"\n', "pvh.elf", r"^pvboot: unsupported: .*pvh.elf: .*linux32"),
    ('pvboot_entry="linux32"\npvboot_subarch="xen"\n', "bzimage32", r"^pvboot: unsupported: .*subarch 2.*force_subarch"),
    ('pvboot_entry="pvh"\npvboot_subarch="xen"\n', "pvh.elf", r"^pvboot: unsupported: .*subarch"),
    ('pvboot_entry="pvh"\npvboot_subarch="xen"\n', "bzimage", r"^pvboot: unsupported: .*bzimage: subarch 2 through pvh"),
])
def test_kernel_refused_before_a_domain_exists(xl, config, lines, kernel, pattern):
    refused(xl(config(lines, kernel=kernel)), pattern)


def test_forced_subarch(xl, config):
    accepted(xl(config('pvboot_entry="linux32"\npvboot_subarch="xen"\npvboot_force_subarch=1\n', kernel="bzimage32")))


def test_missing_kernel_is_xls_to_complain_about(xl, config):
    done = xl(config(without="kernel"))
    stock = xl(config(builder='type="pvh"\n', without="kernel"), preload=None)
    assert (done.returncode, done.stdout) == (stock.returncode, stock.stdout)
    assert done.returncode != 0 and "pvboot:" not in done.stderr


@pytest.mark.parametrize("entry", ["auto", "pvh", "stub"])
@pytest.mark.parametrize("kernel", ["absent", "."])
def test_unreadable_kernel(xl, config, kernel, entry):
    refused(xl(config(f'pvboot_entry="{entry}"\n', kernel=kernel)), r"^pvboot: unreadable: /")


@pytest.mark.parametrize("lines,without,pattern", [
    ('ramdisk="/x/absent"\n', "", r"^pvboot: unreadable: /x/absent: "),
    ('pvboot_ramdisks="/x/absent"\n', "", r"^pvboot: unreadable: /x/absent: "),
    ("memory=16\n", "memory=64", r"^pvboot: nofit: .*bzimage: .*guest memory ends at 0x1000000"),
    ("", "memory=64", r"^pvboot: ok"),
    ("maxmem=16\n", "", r"^pvboot: nofit: .*bzimage: "),
    ("memory=0x10\n", "memory=64", r"^pvboot: nofit: .*guest memory ends at 0x1000000"),
    ('memory="much"\n', "memory=64", r"^pvboot: usage: .*guest\.cfg: memory 'much' is not a number"),
    ("vcpus=129\n", "vcpus=2", r"^pvboot: limit: .*bzimage: 129 vCPUs"),
    ('vnuma=[["pnode=0","size=64","vcpus=0-1","vdistances=10"]]\n', "", r"^pvboot: unsupported: .*guest\.cfg: vnuma: "),
    (f'cmdline="{"x" * 2048}"\n', 'cmdline="console', r"^pvboot: limit: .*bzimage: command line is 2048 bytes"),
    (f'pvboot_entry="stub"\ncmdline="{"x" * 1024}"\n', 'cmdline="console', r"^pvboot: limit: .*command line of 1024 bytes through stub"),
    (f'cmdline="x"\nextra="{"x" * 2048}"\n', 'cmdline="console', r"^pvboot: ok"),
    (f'root="{"x" * 2040}"\nextra="xx"\n', 'cmdline="console', r"^pvboot: limit: .*bzimage: command line is 2048 bytes"),
], ids=range(13))
def test_what_a_build_would_refuse(xl, config, lines, without, pattern):
    """Before a domain exists: files that are not there, and the plan, on the machine that libxl would make."""
    done = xl(config(lines, without=without))
    if pattern.endswith("ok"):
        assert done.returncode == 0 and "pvboot:" not in done.stderr, done.stderr
    else:
        refused(done, pattern)


def test_entry_that_needs_the_payload(xl, config, files):
    """What is in the kernel is looked at, too: here nothing starts at a PHYS32_ENTRY."""
    bad = bytearray((files / "bzimage").read_bytes())
    at = bad.find(b"\x1f\x8b")
    bad[at + 40:at + 60] = bytes(20)
    (files / "rotten").write_bytes(bad)
    refused(xl(config('pvboot_entry="pvh"\n', kernel="rotten")), r"^pvboot: malformed: .*rotten: ")
    accepted(xl(config('pvboot_entry="linux64"\n', kernel="rotten")))


def understood(done):
    """The domain as xl restore prints it; what it then has no hypervisor for is not ours to say."""
    assert "pvboot:" not in done.stderr
    return json.JSONDecoder().raw_decode(done.stderr[done.stderr.index("\n{") + 1:])[0]


def test_config_of_a_saved_domain(restore, config):
    """Like what xl config-update merges it is no file: keys said again override."""
    saved = config('pvboot_entry="linux64"\npvboot_entry="pvh"\n')
    assert understood(restore(saved))["b_info"]["type.pvh"]["pvshim_extra"] == "entry=pvh"


def test_restore_wants_no_kernel(xl, restore, config):
    """A guest that has its memory does not need what lies in /boot by now."""
    lines = 'pvboot_entry="linux64"\n'
    for kernel in ("text", "pvh.elf", "absent"):
        assert understood(restore(config(lines, kernel=kernel)))["b_info"]["type.pvh"]["pvshim_extra"] == "entry=linux64"
        assert understood(restore(config(lines), config(lines, kernel=kernel)))["b_info"]["type.pvh"]["pvshim"] == "True"
    refused(xl(config(lines, kernel="text")), "text: ")


def test_nul_in_a_remark(xl, config):
    """libxlutil steps over it; what stands behind it counts as much with the plugin as without."""
    behind = "# a\0remark\nvcpus=1\ncpu_weight=512\n"
    for lines in (behind, "# \0\n" + behind, behind + "# \0\n"):
        got = accepted(xl(config('pvboot_entry="linux64"\n' + lines, without="vcpus=2")))
        stock = json.loads(xl(config('type="pvh"\n' + lines, builder="", without="vcpus=2"), preload=None).stdout)
        assert got["b_info"]["sched_params"] == stock["b_info"]["sched_params"] == {"weight": 512}
        assert got["b_info"]["max_vcpus"] == stock["b_info"]["max_vcpus"] == 1
        assert got["b_info"]["type.pvh"]["pvshim_extra"] == "entry=linux64"
    refused(xl(config('# a\0remark\npvboot_entry="linux65"\n')), r"line 10: pvboot_entry: entry 'linux65'")


def test_messages_are_printable(xl, config, files):
    """One escape for each byte, however many functions the sentence comes through."""
    line = refused(xl(config('pvboot_entry="a\x1b\x7f\x9b"\n')), "line 9: pvboot_entry: entry 'a")
    assert all(" " <= c <= "~" for c in line) and r"'a\x1b\x7f" in line
    line = refused(xl(config('type="pv\x1b"\n')), r'line 9: type="pv')
    assert r"pv\x1b" in line and "\x1b" not in line
    evil = files / "bz\x1b[2J\x07"
    evil.write_bytes(b"no kernel" * 99)
    assert r"bz\x1b[2J\x07: " in refused(xl(config(kernel=evil.name)), "unsupported: ")


def test_config_that_is_all_on_the_command_line(xl, config):
    words = config('pvboot_entry="linux64"\n').splitlines()
    assert accepted(xl(None, *words))["b_info"]["type.pvh"]["pvshim_extra"] == "entry=linux64"
    refused(xl(None, *words, 'pvboot_entry="pvh"'), "command line: pvboot_entry is set twice")
    refused(xl(None, *config('pvboot_entry="linux64"\n', kernel="text").splitlines()), "text: ")


def test_nothing_to_dump_from_the_stub(xl, config, tmp_path):
    refused(xl(config(f'pvboot_entry="stub"\npvboot_dump="{tmp_path}"\n')), r'usage: .*pvboot_dump contradicts pvboot_entry="stub"')


def test_kernel_of_a_bootloader_is_not_looked_for(xl, config):
    accepted(xl(config('bootloader="pygrub"\n', kernel="absent")))


OVERRIDES = [
    (['memory=128'], "entry=linux64"),
    (['pvboot_entry="linux32"'], "entry=linux32"),
    (['pvboot_subarch="xen"'], "entry=linux64 subarch=xen"),
    (['vcpus=1', 'pvboot_entry="auto"', 'pvboot_strict=1'], "entry=auto strict=1"),
]


@pytest.mark.parametrize("words,extra", OVERRIDES, ids=range(len(OVERRIDES)))
def test_overrides_on_xls_command_line(xl, config, words, extra):
    got = accepted(xl(config('pvboot_entry="linux64"\n'), *words))
    assert sorted(got["b_info"]["type.pvh"]["pvshim_extra"].split()) == sorted(extra.split())
    assert got["b_info"]["max_memkb"] == (131072 if "memory=128" in words else 65536)


def test_type_on_xls_command_line_is_what_counts(xl, config):
    accepted(xl(config('type="pv"\n'), 'type="pvh"'))


def test_builder_on_xls_command_line(xl, config):
    accepted(xl(config(builder=""), 'builder="pvboot"', 'pvboot_entry="linux64"'))
    done = xl(config('pvboot_entry="linux64"\n'), 'builder="generic"', 'type="pvh"')
    stock = xl(config(builder='type="pvh"\n'), 'builder="generic"', preload=None)
    assert (done.returncode, done.stdout) == (stock.returncode, stock.stdout)


@pytest.mark.parametrize("words,pattern", [
    (['pvboot_entry="linux65"'], r"command line.*pvboot_entry.*linux65"),
    (['pvboot_entry="pvh"', 'pvboot_entry="linux32"'], r"pvboot_entry.*twice"),
    (['pvshim=1'], r"pvshim contradicts"),
    (['type="pv"'], r'usage: .*command line: type="pv" contradicts'),
    (['pvboot_colour=1'], r"command line.*pvboot_colour"),
])
def test_bad_overrides(xl, config, words, pattern):
    refused(xl(config('pvboot_entry="linux64"\n'), *words), pattern)


HARMLESS = [
    ("pvh", 'type="pvh"\n'),
    ("pv", 'type="pv"\n'),
    ("remark", 'type="pvh"\n# not builder="pvboot"\n'),
    ("name", 'type="pvh"\nname="pvboot"\n'),
    ("other builder", 'builder="generic"\nname="pvboot"\n'),
    ("own shim", 'type="pvh"\npvshim=1\npvshim_path="/x/pvboot"\npvshim_cmdline="pvboot entry=pvh"\n'),
    ("list of builders", 'builder=["pvboot"]\ntype="pvh"\n'),
    ("overruled", 'builder="pvboot"\nbuilder="generic"\ntype="pvh"\n'),
    ("longer word", 'builder="pvbootx"\n'),
    ("unknown builder", 'builder="pvgrub"\nname="pvboot"\n'),
    ("syntax error", 'type="pvh"\nname="pvboot\n'),
    ("lexical error", 'type="pvh"\nPVBOOT=1 pvboot\n'),
    ("python", 'import pvboot\nbuilder="pvboot"\n'),
]


@pytest.mark.parametrize("lines", [h[1] for h in HARMLESS], ids=[h[0] for h in HARMLESS])
def test_other_configs_are_untouched(xl, config, lines):
    """The same description, the same complaints, the same exit code as without the plugin."""
    done, stock = xl(config(lines, builder="")), xl(config(lines, builder=""), preload=None)
    assert (done.stdout, done.stderr, done.returncode) == (stock.stdout, stock.stderr, stock.returncode)


def test_stub_must_be_there(xl, config, plugin, tmp_path):
    lonely = tmp_path / "pvboot-xl.so"
    lonely.write_bytes(plugin.read_bytes())
    refused(xl(config(), preload=lonely), r"^pvboot: host: .*pvboot-stub\.elf")


def installed_stub(build, where, *strip):
    """The plugin and its stub, which has gone through strip once more, as a packager's tools do it."""
    for program in "pvboot-xl.so", "pvboot-parse":
        shutil.copy(build / program, where)
    stub = where / "pvboot-stub.elf"
    subprocess.run(["strip", *strip, "-o", stub, build / "pvboot-stub.elf"], check=True)
    return stub


def test_stub_survives_the_packagers_strip(xl, config, build, tmp_path):
    """dh_strip's options; the notes as readelf and as pvboot reads them, and the plugin takes the stub."""
    stub = installed_stub(build, tmp_path, "--remove-section=.comment", "--remove-section=.note")
    notes = subprocess.run(["readelf", "-Wn", stub], capture_output=True, text=True, check=True).stdout
    assert len(re.findall(r"^  Xen ", notes, re.M)) == 5 and len(re.findall(r"^  pvboot ", notes, re.M)) == 1, notes
    seen = json.loads(subprocess.run([build / "pvboot", "inspect", "--json", stub], capture_output=True, check=True).stdout)
    assert seen["notes"]["pvboot_stub"] and seen["entries"]["stub"]["ok"] and seen["entries"]["pvh"]["ok"]
    assert xl(config(), preload=tmp_path / "pvboot-xl.so").returncode == 0


def test_stub_without_notes(xl, config, build, tmp_path):
    installed_stub(build, tmp_path, "--remove-section=.notes")
    refused(xl(config(), preload=tmp_path / "pvboot-xl.so"), r"^pvboot: host: .*pvboot-stub\.elf has lost its ELF notes")


def test_more_vcpus_than_maxvcpus_is_xls_to_refuse(xl, config):
    lines = "vcpus=4\nmaxvcpus=2\n"
    done = xl(config(lines, without="vcpus=2"))
    stock = xl(config(lines, builder='type="pvh"\n', without="vcpus=2"), preload=None)
    assert done.returncode == stock.returncode != 0 and done.stdout == stock.stdout
    assert "maxvcpus < vcpus" in done.stderr and "pvboot:" not in done.stderr
