# SPDX-License-Identifier: LGPL-2.1-only
# What `make check` runs, each NAME=KIND=COMMAND (tests/run.py).

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
    'reproducible=plain=$(M) check-reproducible' \
    'build with clang=plain=$(M) BUILD=$(BUILD)/clang CC=clang all' \
    'build without Xen headers=plain=$(M) BUILD=$(BUILD)/noxen HAVE_XEN=n all' \
    'unit without Xen headers=tap=$(M) BUILD=$(BUILD)/noxen HAVE_XEN=n -s unit' \
    'unit=tap=$(M) LZO=y BUILD=$(BUILD)/lzo -s unit' \
    'unit, sanitizers=tap=$(M) LZO=y BUILD=$(BUILD)/san SAN=1 -s unit' \
    'fuzz corpus, sanitizers=tap=$(M) LZO=y BUILD=$(BUILD)/san SAN=1 -s replay' \
    'command line=closing=PVBOOT_BUILD=$(BUILD) $(PYTEST) tests/cli' \
    'stock libxenguest=closing=$(M) -s offline' \
    'threads, sanitizer=closing=$(M) TSAN=1 BUILD=$(BUILD)/tsan -s threads' \
    'fault sweep=closing=$(M) -s faults' \
    'stub and probes in QEMU=closing=$(M) -s probes && PVBOOT_BUILD=$(BUILD) $(PYTEST) tests/guests' \
    'confinement=tap=$(M) -s confine-c' \
    'confined parser=closing=$(M) -s confine-py' \
    'lab logic=closing=$(PYTEST) tests/lab' \
    'flight logic=closing=$(PYTEST) tests/flight'
LAB_SUITES = 'lab=closing=$(PYTHON) -m lab run --select smoke' \
    'flight=closing=$(PYTHON) -m lab compare --select smoke --anew --out $(BUILD)/lab/flight-smoke'

.PHONY: check check-now check-offline
check check-now check-offline: export WERROR = 1
check: check-packages lab-packages
	@$(M) check-now
check-now: all
	@tests/run.py --logs $(BUILD)/check $(SUITES) $(LAB_SUITES)
check-offline: check-packages
	@$(M) all
	@tests/run.py --logs $(BUILD)/check $(SUITES)
