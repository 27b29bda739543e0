# SPDX-License-Identifier: LGPL-2.1-only
"""A program that has several configs at once: each keeps the name of its own file, whoever reads it, and when."""
import re
import subprocess

import pytest

# Makes a config for each file; another thread reads them in the order they were made, each with the last argument behind
# it, as xl does with its own command line, and destroys each.
PROGRAM = r"""
#include <libxlutil.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static XLU_Config *cfg[8];

static void *read_all(void *arg)
{
    char **name = arg, text[16384];

    for (int i = 0; cfg[i]; i++) {
        const char *value = "refused";
        FILE *f = fopen(name[i], "r");
        size_t n = fread(text, 1, sizeof(text) / 2, f);

        fclose(f);
        for (const char *more = getenv("MORE"); *more; more++)
            text[n++] = *more;
        if (!xlu_cfg_readdata(cfg[i], text, (int)n))
            xlu_cfg_get_string(cfg[i], "pvshim_extra", &value, 0);
        puts(value);
        xlu_cfg_destroy(cfg[i]);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t t;

    for (int i = 0; i < argc - 1; i++)
        cfg[i] = xlu_cfg_init(stderr, argv[i + 1]);
    return pthread_create(&t, NULL, read_all, argv + 1) || pthread_join(t, NULL);
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    where = tmp_path_factory.mktemp("program")
    (where / "configs.c").write_text(PROGRAM)
    subprocess.run(["gcc", "-pthread", "-o", where / "configs", where / "configs.c", "-lxlutil"], check=True)
    return where / "configs"


@pytest.fixture
def read(program, plugin, tmp_path):
    """read(texts, more): what comes of configs with these texts, and what is said of them."""
    def run(texts, more=""):
        names = [tmp_path / f"{number}.cfg" for number in range(len(texts))]
        for name, text in zip(names, texts):
            name.write_text('builder="pvboot"\n' + text)
        done = subprocess.run([program, *names], env={"LD_PRELOAD": str(plugin), "MORE": more}, capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 0, done
        return done.stdout.splitlines(), done.stderr.splitlines()
    return run


def test_each_names_its_own_file(read):
    values, said = read(['pvboot_entry="linux65"\n', '\npvboot_strict=2\n', 'pvboot_entry="linux64"\n'])
    assert values == ["refused", "refused", "entry=linux64"]
    assert [re.search(r"/(\d\.cfg: line \d+: \w+)", line).group(1) for line in said] == [
        "0.cfg: line 2: pvboot_entry", "1.cfg: line 3: pvboot_strict"], said


@pytest.mark.parametrize("sizes", [(0, 500), (500, 0)])
def test_each_knows_where_its_own_file_ends(read, sizes):
    """What stands behind that overrides it; before, saying a key twice is an error."""
    texts = [f'#{"x" * size}\npvboot_entry="linux64"\npvboot_subarch="xen"\n' for size in sizes]
    assert read(texts, 'pvboot_entry="pvh"\n') == (["entry=pvh subarch=xen"] * 2, [])
    values, said = read([text + 'pvboot_entry="pvh"\n' for text in texts])
    assert values == ["refused"] * 2
    assert [re.search(r"/(\d\.cfg: line \d): pvboot_entry is set twice", line).group(1) for line in said] == [
        "0.cfg: line 5", "1.cfg: line 5"], said


def test_longest_options(read):
    """All that pvshim_extra has room for, beside the shim's word, and a byte more."""
    dump, ramdisks = "/" + "d" * 2000, "/" + "r" * (4094 - len("dump=/ ramdisks=/") - 2000)
    text = f'pvboot_dump="{dump}"\npvboot_ramdisks="{ramdisks}'
    assert read([text + '"\n', text + 'r"\n'])[0] == [f"dump={dump} ramdisks={ramdisks}", "refused"]
    said = read([text + 'r"\n'])[1]
    assert len(said) == 1 and re.search(r"limit: .*line 3: pvboot_ramdisks: more options than", said[0])
