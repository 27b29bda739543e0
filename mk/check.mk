# SPDX-License-Identifier: LGPL-2.1-only
# What `make check` runs, each NAME=KIND=COMMAND (tests/run.py).

# Those of $(BUILD) itself, in line. Nothing that another suite writes is read beside it.
SUITES = \
    'layers=plain=tests/check-layers' \
    'bad inputs=plain=tests/check-rows' \
    'format=plain=$(M) check-format' \
    'headers=plain=$(M) check-headers' \
    'pure=plain=$(M) check-pure' \
    'exports=plain=$(M) check-exports' \
    'ABI=tap=$(M) -s check-abi' \
    'hardened=plain=$(M) check-hardened' \
    'licences=plain=$(M) check-licences' \
    'command line=closing=PVBOOT_BUILD=$(BUILD) $(PYTEST) tests/cli' \
    'stock libxenguest=closing=$(M) -s offline' \
    'confinement=tap=$(M) -s confine-c' \
    'confined parser=closing=$(M) -s confine-py' \
    'fault sweep=closing=$(M) -s faults'
# Beside them: the lab, whose emulator is one thread, and then builds in directories of their own.
LAB_SUITES = 'lab=closing=$(PYTHON) -m lab run --select smoke' \
    'flight=closing=$(PYTHON) -m lab compare --select smoke --anew --out $(BUILD)/lab/flight-smoke'
BESIDE = \
    'unit, sanitizers=tap=$(UNIT_TESTS) LZO=y BUILD=$(BUILD)/san SAN=1' \
    'fuzz corpus, sanitizers=tap=$(M) LZO=y BUILD=$(BUILD)/san SAN=1 -s replay' \
    'build without Xen headers=plain=$(M) BUILD=$(BUILD)/noxen HAVE_XEN=n all' \
    'unit without Xen headers=tap=$(UNIT_TESTS) BUILD=$(BUILD)/noxen HAVE_XEN=n'
# Each with what is its own, so that it may run beside any other: the longest first. The stub's tests boot a kernel that the
# lab has fetched by then.
EITHER = \
    'unit=tap=$(UNIT_TESTS) LZO=y BUILD=$(BUILD)/lzo' \
    'stub and probes in QEMU=closing=PVBOOT_BUILD=$(BUILD) $(PYTEST) tests/guests' \
    'build with clang=plain=$(M) BUILD=$(BUILD)/clang CC=clang all' \
    'reproducible=plain=$(M) check-reproducible' \
    'lab logic=closing=$(PYTEST) tests/lab' \
    'flight logic=closing=$(PYTEST) tests/flight' \
    'threads, sanitizer=closing=$(M) TSAN=1 BUILD=$(BUILD)/tsan -s threads'
# Two at a time, what each prints in one piece, and all of them though one fails.
UNIT_TESTS = $(M) -s -k --output-sync=target unit

.PHONY: check check-now check-offline
check check-now check-offline: export WERROR = 1
check: check-packages lab-packages
	@$(M) check-now
# What the command line's tests want besides: a fake Xen for the stock xl.
CHECKED = all probes $(if $(filter y,$(HAVE_XEN)),$(BUILD)/tests/offline/xl-faked.so)
check-now: $(CHECKED)
	@tests/run.py --logs $(BUILD)/check $(SUITES) --beside $(LAB_SUITES) $(BESIDE) --either $(EITHER)
check-offline: check-packages
	@$(M) $(CHECKED)
	@tests/run.py --logs $(BUILD)/check $(SUITES) --beside $(BESIDE) --either $(EITHER)
