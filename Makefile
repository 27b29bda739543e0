# SPDX-License-Identifier: LGPL-2.1-only
# One build, no recursion; everything made lands in $(BUILD). Each part is a file of mk/, which holds its list of sources.
#
#   make            what this machine can build        make demo    a guest on a real Xen, in QEMU
#   make check      all tests                          make bench   create times against stock, in pairs
#   make install    into $(DESTDIR)$(PREFIX)           make help    the rest

.PHONY: all
all:

include mk/config.mk
include mk/libraries.mk

# what is installed
include mk/core.mk
include mk/xl.mk
include mk/launch.mk
include mk/parse.mk
include mk/stub.mk
include mk/examples.mk

# what only the lab and the tests use
include mk/lab.mk
include mk/guests.mk
include mk/offline.mk
include mk/unit.mk
include mk/confine.mk
include mk/fuzz.mk
include mk/coverage.mk
include mk/mutants.mk
include mk/shape.mk
include mk/check.mk

include mk/packages.mk
include mk/install.mk
include mk/debs.mk

all: $(PROGRAMS) notice

.PHONY: notice
notice:
ifneq ($(HAVE_XEN),y)
	@echo "notice: no Xen headers (libxen-dev): pvboot-xl.so and the tests against libxenguest are left out"
endif

-include $(shell find $(addprefix $(BUILD)/,src parse attack stub guests tests) -name '*.d' -type f 2>/dev/null)

.PHONY: help
help:
	@sed -n '4,7p' Makefile | cut -c3-
	@echo '  make compare    every boot path on a real Xen, side by side (docs/compare.md)'
	@echo '  make platforms  smoke part of compare on each release in PLATFORMS: docs/platforms.md'
	@echo '  make bench-native  CPU time of a build on a fake Xen, without QEMU (docs/bench.md)'
	@echo '  make check-offline  all tests but those on a real Xen; of these alone:'
	@echo '  make unit [SAN=1]   unit tests        make offline    the plugin in stock xl and libxenguest'
	@echo '  make confine        the sandbox       make faults     every request refused in turn'
	@echo '  make fuzz [TARGET=decode FUZZ_SECONDS=60]  new inputs for the fuzz targets, in CPU seconds each'
	@echo '  make coverage [MISSING=1]  what of parser, plan and verifier the tests run'
	@echo '  make mutants       fifty-two planted bugs, which the tests have to notice'
	@echo '  make check-reproducible  builds twice, in two places, and compares what they install'
	@echo '  make check-abi      the libraries against tests/abi; make store-abi: after a change that is meant'
	@echo '  make linux-boots    builds a Linux with the patches of linux/, boots it on Xen and without (linux/README.md)'
	@echo '  make debs       Debian packages, into $(BUILD)/debs; the lab installs them with --from-packages'
	@echo '  make uninstall  removes what install put there, given the same directories'
	@echo '  make clean      removes $(BUILD)'
	@echo '  options: V=1, WERROR=1, LZO=y, HAVE_XEN=n, RELEASE=trixie, CC=clang, BUILD=dir, CPPFLAGS, CFLAGS, LDFLAGS'
	@echo '  directories: DESTDIR, PREFIX, BINDIR, LIBDIR, LIBEXECDIR, CACHEDIR, INCLUDEDIR, MANDIR'

.PHONY: clean
clean:
	rm -rf $(BUILD)
