# SPDX-License-Identifier: LGPL-2.1-only
# One Makefile, no recursion; everything made lands in $(BUILD).
#
#   make            what this machine can build        make demo    a guest on a real Xen, in QEMU
#   make check      all tests                          make bench   create times against stock, in pairs
#   make install    into $(DESTDIR)$(PREFIX)           make help    the rest

BUILD ?= build
PREFIX ?= /usr
LIBEXECDIR ?= $(PREFIX)/lib/pvboot
DESTDIR ?=
VERSION := 0.1.0

CC ?= gcc
PKG_CONFIG ?= pkg-config
PYTHON ?= /usr/bin/python3
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wconversion -Werror -Wvla
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2
comma := ,
SAN_FLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer) \
             $(if $(FUZZER),-fsanitize=fuzzer-no-link) $(if $(COV),--coverage -O0 -Wno-format-truncation)

# What this machine has. Xen's headers and lzo2 are optional: everything else is required.
HAVE_XEN ?= $(shell $(PKG_CONFIG) --exists xenguest xencontrol xenforeignmemory xenlight xlutil 2>/dev/null && echo y)
LZO ?= n
CODEC_PKGS := zlib liblzma liblz4 libzstd
PKGS := libelf jansson $(CODEC_PKGS)
LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -lbz2 -lgcrypt $(if $(filter y,$(LZO)),-llzo2)

CPPFLAGS += -Iinclude -D_GNU_SOURCE -DPVBOOT_VERSION='"$(VERSION)"' -DPVBOOT_LIBEXECDIR='"$(LIBEXECDIR)"' \
            $(if $(filter y,$(HAVE_XEN)),-DHAVE_XEN=1) $(if $(filter y,$(LZO)),-DHAVE_LZO=1)
ALL_CFLAGS = -std=gnu11 -fPIC $(WARN) $(if $(SAN)$(COV),,$(HARDEN)) $(CFLAGS) $(SAN_FLAGS)

# Layers: frontends -> sandbox -> builder -> startinfo -> include/pvboot. tests/check-layers holds the sources to it.
# One of start_info.c, which needs Xen's headers, and its stand-in.
STARTINFO := $(filter-out src/startinfo/start_info$(if $(filter y,$(HAVE_XEN)),_none).c,$(wildcard src/startinfo/*.c))
BUILDER := $(filter-out %_xen.c,$(wildcard src/builder/*/*.c))
SANDBOX := $(wildcard src/sandbox/*.c)
XEN := $(wildcard src/builder/xen/*.c)
CLI := $(wildcard src/frontends/cli/*.c)
XL := $(wildcard src/frontends/xl/*.c)

# V=1 shows whole commands.
Q := $(if $(V),,@)
say = $(if $(V),:,printf '  %-5s %s\n' $(1) $(2))

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
CORE_OBJ := $(call obj,$(STARTINFO) $(BUILDER) $(SANDBOX))
XL_OBJ := $(call obj,$(XEN) $(XL))

PROGRAMS := $(BUILD)/pvboot $(BUILD)/pvboot-parse $(BUILD)/libpvboot.so $(if $(filter y,$(HAVE_XEN)),$(BUILD)/pvboot-xl.so)

.PHONY: all
all: $(PROGRAMS) notice

.PHONY: notice
notice:
ifneq ($(HAVE_XEN),y)
	@echo "notice: no Xen headers (libxen-dev): pvboot-xl.so and the tests against libxenguest are left out"
endif

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D) && $(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The one object that knows where the rest is installed.
$(BUILD)/libexecdir: FORCE
	@mkdir -p $(@D) && echo '$(LIBEXECDIR)' | cmp -s - $@ || echo '$(LIBEXECDIR)' >$@
.PHONY: FORCE
$(BUILD)/src/sandbox/confine.o: $(BUILD)/libexecdir

ifeq ($(SHARED),)
$(BUILD)/libpvboot.a: $(CORE_OBJ)
	@rm -f $@ && $(call say,AR,$@)
	$(Q)$(AR) rcs $@ $^
else # the linker reads it as a script: what links to the library need not be linked again when it changes
$(BUILD)/libpvboot.a: | $(BUILD)/libpvboot-whole.so
	@echo 'INPUT($(abspath $(BUILD))/libpvboot-whole.so)' >$@
$(BUILD)/libpvboot-whole.so: $(CORE_OBJ)
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -shared -o $@ $^ $(LIBS)
endif

$(BUILD)/libpvboot.so: $(CORE_OBJ) src/libpvboot.map
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libpvboot.so.0 -Wl,--version-script=src/libpvboot.map \
	    -Wl,-z,defs -o $@ $(CORE_OBJ) $(LIBS)

$(BUILD)/pvboot: $(call obj,$(CLI)) $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/pvboot-xl.so: $(XL_OBJ) $(BUILD)/libpvboot.a src/frontends/xl/pvboot-xl.map
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -shared -Wl,--version-script=src/frontends/xl/pvboot-xl.map -Wl,-z,defs -Wl,-z,now \
	    -o $@ $(XL_OBJ) $(BUILD)/libpvboot.a $(LIBS) -lxenforeignmemory -ldl

# ---- the confined parser: only what parses, always without sanitizers, which no sandbox of this kind would let work ----
PARSE := $(wildcard src/frontends/parse/*.c) src/sandbox/layers.c \
         $(addprefix src/builder/base/,errno.c error.c names.c) src/builder/file/file.c $(wildcard src/builder/image/*.c)
PARSE_OBJ := $(patsubst %.c,$(BUILD)/parse/%.o,$(PARSE))
PARSE_CFLAGS = -std=gnu11 -fPIE -fvisibility=hidden -ffunction-sections $(WARN) $(HARDEN) -fstack-clash-protection $(CFLAGS)
PARSE_LIBS := $(shell $(PKG_CONFIG) --libs libelf $(CODEC_PKGS) libseccomp 2>/dev/null) -lbz2 \
              $(if $(filter y,$(LZO)),-llzo2)

$(BUILD)/parse/%.o: %.c Makefile
	@mkdir -p $(@D) && $(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(PARSE_CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/pvboot-parse: $(PARSE_OBJ)
	@$(call say,LD,$@)
	$(Q)$(CC) $(PARSE_CFLAGS) $(LDFLAGS) -pie -Wl,--gc-sections -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -o $@ $^ $(PARSE_LIBS)

# ---- comparison of boot paths: what a paused domain is about to start with, and flights --------------------------------
CAPTURE := $(wildcard src/frontends/capture/*.c)
all: $(if $(filter y,$(HAVE_XEN)),$(BUILD)/pvboot-capture)
$(BUILD)/pvboot-capture: $(call obj,$(CAPTURE)) $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lxenctrl -lxenforeignmemory

.PHONY: compare
compare: build-packages lab-packages
	@$(M) all
	@PVBOOT_BUILD=$(BUILD) $(PYTHON) -m lab compare --rounds 5 --out $(BUILD)/lab/flight

# ---- the in-guest stub: 32-bit, without libc; gcc -m32 needs no multilib packages for that -------------------------
STUB := $(wildcard src/stub/*.c src/stub/libc/*.c) $(STARTINFO) \
        $(addprefix src/builder/,base/error.c base/memmap.c base/names.c image/bzimage.c segment/content.c) \
        $(filter-out %/distance.c %/machine.c %/obstacle.c,$(wildcard src/builder/plan/*.c))
STUB_OBJ := $(patsubst %,$(BUILD)/stub/%.o,$(basename $(STUB) src/stub/head.S))
FREESTANDING := -ffreestanding -fno-pic -fno-pie -fno-stack-protector -fcf-protection=none \
               -fno-asynchronous-unwind-tables -fno-delete-null-pointer-checks $(WARN) -nostdinc \
               -isystem $(shell $(CC) -print-file-name=include) -Iinclude \
               -idirafter /usr/include/$(shell $(CC) -print-multiarch) -idirafter /usr/include
# The stub is to stay under 32 KiB: gcc from 12 on is persuaded, clang's -Os is small enough.
STUB_SMALL := -Oz -mpreferred-stack-boundary=2 -fno-tree-sra -fno-tree-dominator-opts
STUB_OPT := $(shell $(CC) -m32 $(STUB_SMALL) -S -o /dev/null -x c /dev/null 2>/dev/null && echo $(STUB_SMALL) || echo -Os)
STUB_CFLAGS := -m32 -march=i686 -mtune=i386 -mgeneral-regs-only -mregparm=3 -std=gnu11 $(STUB_OPT) -g $(FREESTANDING) \
              -ffunction-sections -fdata-sections -Isrc/stub/libc -DPVBOOT_VERSION='"$(VERSION)"'
all: $(if $(filter y,$(HAVE_XEN)),$(BUILD)/pvboot-stub.elf)

$(BUILD)/stub/%.o: %.c Makefile
	@mkdir -p $(@D) && $(call say,CC32,$@)
	$(Q)$(CC) $(STUB_CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/stub/%.o: %.S Makefile
	@mkdir -p $(@D) && $(call say,AS32,$@)
	$(Q)$(CC) $(STUB_CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/pvboot-stub.elf: $(STUB_OBJ) src/stub/stub.lds
	@$(call say,LD32,$@)
	$(Q)$(CC) -m32 -static -nostdlib -no-pie -Wl,-m,elf_i386 -Wl,--build-id=none -Wl,--gc-sections \
	    -Wl,-z,max-page-size=4096 -Wl,-T,src/stub/stub.lds -o $@.debug $(STUB_OBJ)
	$(Q)objcopy --strip-all $@.debug $@

# ---- probe guests: kernels that only tell what they found, one per way in --------------------------------------------
PROBES := $(BUILD)/guests/probe-pvh.elf $(BUILD)/guests/probe-linux32.bzimage $(BUILD)/guests/probe-linux64.bzimage \
          $(BUILD)/guests/probe-vmlinux64.elf
PROBE_SRC := $(wildcard tests/guests/*.c) tests/guests/entry.S
PROBE_CFLAGS := -std=gnu11 -mgeneral-regs-only -mno-red-zone -Os -g $(FREESTANDING) -Isrc/stub/libc

.PHONY: probes
probes: $(if $(filter y,$(HAVE_XEN)),$(PROBES) $(BUILD)/guests/jump.elf)

$(BUILD)/guests/jump.elf: tests/guests/jump.S Makefile
	@mkdir -p $(@D) && $(call say,LD32,$@)
	$(Q)$(CC) -m32 -static -nostdlib -no-pie -Wl,-m,elf_i386 -Wl,--build-id=none -Wl,-e,jump -Wl,-Ttext=0x7000000 \
	    -Wl,--section-start=.note.Xen=0x7000100 -o $@ $<

# way in, its macro, bits, linker emulation, xloadflags
define probe_rules
$(BUILD)/guests/$(1)/%.o: tests/guests/%.c Makefile
	@mkdir -p $$(@D) && $$(call say,CC$(3),$$@)
	$$(Q)$$(CC) -m$(3) $$(PROBE_CFLAGS) -DENTRY_$(2) -MMD -MP -c -o $$@ $$<
$(BUILD)/guests/$(1)/%.o: tests/guests/%.S Makefile
	@mkdir -p $$(@D) && $$(call say,AS$(3),$$@)
	$$(Q)$$(CC) -m$(3) $$(PROBE_CFLAGS) -DENTRY_$(2) -MMD -MP -c -o $$@ $$<
$(BUILD)/guests/$(1)/probe.lds: tests/guests/probe.lds.S tests/guests/layout.h
	@mkdir -p $$(@D)
	$$(Q)$$(CC) -E -P -x assembler-with-cpp -DENTRY_$(2) -o $$@ $$<
$(BUILD)/guests/probe-$(1).elf: $(patsubst tests/guests/%,$(BUILD)/guests/$(1)/%.o,$(basename $(PROBE_SRC))) \
                                $(BUILD)/guests/$(1)/probe.lds
	@$$(call say,LD$(3),$$@)
	$$(Q)$$(CC) -m$(3) -static -nostdlib -no-pie -Wl,-m,$(4) \
	    -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-T,$(BUILD)/guests/$(1)/probe.lds -o $$@ \
	    $$(filter %.o,$$^)
$(BUILD)/guests/probe-$(1).bin: $(BUILD)/guests/probe-$(1).elf
	$$(Q)objcopy -O binary $$< $$@
$(BUILD)/guests/probe-$(1).bzimage: tests/guests/bzimage.S $(BUILD)/guests/probe-$(1).bin
	@$$(call say,BZ,$$@)
	$$(Q)$$(CC) $$(PROBE_CFLAGS) -DXLOADFLAGS=$(5) -DPART='"$(BUILD)/guests/probe-$(1).bin"' -c -o $$@.o $$<
	$$(Q)objcopy -O binary -j .text $$@.o $$@
endef
$(eval $(call probe_rules,pvh,PVH,32,elf_i386))
$(eval $(call probe_rules,linux32,LINUX32,32,elf_i386,0))
$(eval $(call probe_rules,linux64,LINUX64,64,elf_x86_64,1))
$(eval $(call probe_rules,vmlinux64,VMLINUX64,64,elf_x86_64))

-include $(shell find $(BUILD)/src $(BUILD)/parse $(BUILD)/attack $(BUILD)/stub $(BUILD)/guests $(BUILD)/tests -name '*.d' -type f 2>/dev/null)

# ---- what the targets below need, as Debian 12 names it; tests/need installs it or says how --------------------
BUILD_PACKAGES := gcc libc6-dev pkg-config libelf-dev libjansson-dev libgcrypt20-dev zlib1g-dev libbz2-dev liblzma-dev \
                  liblz4-dev libzstd-dev libseccomp-dev libxen-dev python3
CHECK_PACKAGES := $(BUILD_PACKAGES) clang clang-format libclang-rt-14-dev libcmocka-dev liblzo2-dev python3-pytest \
                  xz-utils bzip2 lz4 zstd lzop binutils file
LAB_PACKAGES := qemu-system-x86 xen-hypervisor-4.17-amd64 xen-utils-4.17 xen-utils-common xenstore-utils \
                linux-image-amd64 busybox-static cpio grub-xen-bin grub-common kmod

.PHONY: build-packages check-packages lab-packages
build-packages:
	@tests/need $(BUILD_PACKAGES)
check-packages:
	@tests/need $(CHECK_PACKAGES)
lab-packages:
	@tests/need $(LAB_PACKAGES)

# ---- tests ---------------------------------------------------------------------------------------------------------
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
UNIT_HELPERS := $(call obj,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(UNIT_HELPERS) $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka
$(BUILD)/tests/%.o: CPPFLAGS += -Isrc

# ---- the Xen side without Xen: a fake hypervisor, stock libxenguest around it ---------------------------------------
FAKE := $(call obj,$(addprefix tests/fake/,fault.c memory.c xen.c context.c))
XEN_UNIT := $(filter $(BUILD)/tests/unit/test_xen_%,$(UNIT))
ifneq ($(HAVE_XEN),y)
UNIT := $(filter-out $(XEN_UNIT),$(UNIT))
endif
$(XEN_UNIT): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(FAKE) $(call obj,$(XEN)) $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

# ---- the stub's own part, on the host ------------------------------------------------------------------------------
STUB_UNIT := $(filter $(BUILD)/tests/unit/test_stub_%,$(UNIT))
ifneq ($(HAVE_XEN),y)
UNIT := $(filter-out $(STUB_UNIT),$(UNIT))
endif
STUB_PURE := $(call obj,src/stub/input.c src/stub/prepare.c $(wildcard tests/unit/stub/*.c))
$(STUB_UNIT): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(UNIT_HELPERS) $(STUB_PURE) $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

# ---- what the tests of the parser show it, for tests/confine to show the program -------------------------------------
KEEPERS := $(filter $(BUILD)/tests/unit/test_image_% $(BUILD)/tests/unit/test_codec%,$(UNIT))
$(KEEPERS): $(BUILD)/tests/unit/keep/keep.o
$(KEEPERS): private LDFLAGS += -Wl,--wrap=pvboot_kernel_parse,--wrap=pvboot_kernel_unpack

# The exported fakes stand in front of libxenctrl's and libxenforeignmemory's functions of the same names.
OFFLINE := $(addprefix $(BUILD)/,pvboot pvboot-parse pvboot-xl.so pvboot-stub.elf \
             $(addprefix tests/offline/,driver sweep verdicts xl-faked.so) tests/confine/lacking)
OFFLINE_OBJ := $(call obj,tests/offline/build.c tests/fake/stock.c) $(FAKE)
$(BUILD)/tests/fake/%.o $(BUILD)/tests/offline/%.o: ALL_CFLAGS += -fvisibility=default -U_FORTIFY_SOURCE
$(BUILD)/tests/offline/driver: $(BUILD)/tests/offline/driver.o $(OFFLINE_OBJ)
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -rdynamic -o $@ $^ -lxenguest -lxenctrl -lxentoollog
$(BUILD)/tests/offline/sweep: $(call obj,$(addprefix tests/,offline/sweep.c offline/killed.c offline/judge.c offline/gate.c offline/dumped.c fake/host.c fake/process.c)) $(OFFLINE_OBJ)
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -rdynamic -o $@ $^ -lxenguest -lxenctrl -lxentoollog
$(BUILD)/tests/offline/verdicts: $(BUILD)/tests/offline/verdicts.o $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lxenguest -lxenctrl -lxentoollog
$(BUILD)/tests/offline/xl-faked.so: $(call obj,$(addprefix tests/,offline/xl_faked.c fake/fault.c fake/host.c fake/process.c))
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -shared -o $@ $^

.PHONY: offline faults
ifeq ($(HAVE_XEN),y)
offline: $(OFFLINE)
	@PVBOOT_BUILD=$(BUILD) $(PYTEST) tests/offline --ignore tests/offline/test_faults.py
faults: $(OFFLINE)
	@PVBOOT_BUILD=$(BUILD) $(PYTEST) -s tests/offline/test_faults.py
else
offline faults:
	@echo "skip: no Xen headers (libxen-dev)"; echo "1 skipped"
endif

.PHONY: unit
unit: $(UNIT)
	@rc=0; for t in $(UNIT); do $$t || rc=1; done; exit $$rc

# ---- the sandbox's own tests: an attacking helper around the same jail, its judge, faults, hostile answers ----------
ATTACK := $(patsubst %.c,$(BUILD)/attack/%.o,$(wildcard tests/confine/attack_*.c) $(filter-out %/main.c,$(PARSE)))
CONFINE := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/confine/test_*.c))
ifneq ($(HAVE_XEN),y)
CONFINE := $(filter-out %/test_kept,$(CONFINE))
endif
$(BUILD)/tests/confine/test_kept: $(call obj,src/frontends/xl/kept.c)
$(BUILD)/tests/confine/test_seal: $(call obj,tests/unit/mkimage.c)
COST := $(BUILD)/tests/confine/cost
UNANSWERED := $(BUILD)/tests/confine/unanswered
LACKING := $(BUILD)/tests/confine/lacking
$(LACKING): $(BUILD)/tests/confine/lacking.o $(BUILD)/tests/confine/surroundings.o
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -lseccomp
$(UNANSWERED): $(BUILD)/tests/confine/unanswered.o
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^

$(BUILD)/attack/%.o: %.c Makefile
	@mkdir -p $(@D) && $(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(PARSE_CFLAGS) -DCPU_SECONDS=1u -MMD -MP -c -o $@ $<
$(BUILD)/pvboot-attack: $(ATTACK)
	@$(call say,LD,$@)
	$(Q)$(CC) $(PARSE_CFLAGS) $(LDFLAGS) -pie -Wl,--gc-sections -o $@ $^ $(PARSE_LIBS)
$(CONFINE) $(COST): $(BUILD)/tests/confine/%: $(BUILD)/tests/confine/%.o $(BUILD)/tests/confine/surroundings.o \
                                      $(BUILD)/tests/confine/trial.o $(BUILD)/tests/confine/attack_calls.o \
                                      $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka -lseccomp

BOOTLOADER := $(if $(filter y,$(HAVE_XEN)),$(BUILD)/tests/confine/bootloader $(BUILD)/pvboot-xl.so)
$(BUILD)/tests/confine/bootloader: $(BUILD)/tests/confine/bootloader.o
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lxenguest -lxenctrl

# ---- fuzzing: each target twice, with libFuzzer and with a main() that shows it files ---------------------------------
# The corpus is committed; what comes from the tools of a kernel build, and from kernels in /boot, is made here.
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
ifneq ($(HAVE_XEN),y)
FUZZ := $(filter-out elf image memmap verify words,$(FUZZ))
endif
FUZZERS := $(addprefix $(BUILD)/fuzz-,$(FUZZ))
REPLAYS := $(addprefix $(BUILD)/replay-,$(FUZZ))
FUZZ_LIBS := $(LIBS) $(if $(filter y,$(HAVE_XEN)),-lxlutil)
FUZZ_XL := $(if $(filter y,$(HAVE_XEN)),$(call obj,src/frontends/xl/scan.c src/frontends/xl/carrier.c))

$(FUZZERS): $(BUILD)/fuzz-%: $(call obj,tests/fuzz/fuzz_%.c tests/fuzz/fuzz.c) $(FUZZ_XL) $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(FUZZ_LIBS)
$(REPLAYS): $(BUILD)/replay-%: $(call obj,tests/fuzz/fuzz_%.c tests/fuzz/fuzz.c tests/fuzz/replay.c) $(FUZZ_XL) \
                               $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(FUZZ_LIBS)

FUZZ_SECONDS ?= 60
TARGET ?= $(FUZZ)
CORPUS := $(addprefix $(BUILD)/corpus/,$(FUZZ))
.PHONY: fuzz fuzzers replay $(CORPUS)
fuzz: check-packages
	@$(M) BUILD=$(BUILD)/fuzz CC=clang SAN=1 FUZZER=1 LZO=y CFLAGS='-O1 -g' fuzzers
	@$(PYTHON) tests/fuzz/run.py --seconds $(FUZZ_SECONDS) $(BUILD)/fuzz $(BUILD)/fuzz/found $(TARGET)
fuzzers: $(FUZZERS) $(CORPUS)
$(BUILD)/corpus/verify: $(BUILD)/tests/confine/test_verify
$(CORPUS): $(BUILD)/corpus/%:
	@rm -rf $@ && $(PYTHON) tests/fuzz/seeds.py $* $@ && $(PYTHON) tests/fuzz/corpus.py unpack $* $@
	@$(if $(filter verify,$*),$(BUILD)/tests/confine/test_verify --seeds $@)
replay: $(REPLAYS) $(CORPUS)
	@rc=0; for t in $(FUZZ); do $(BUILD)/replay-$$t $(BUILD)/corpus/$$t || rc=1; done; exit $$rc

# ---- coverage: of what a stranger's bytes meet, by the tests that run it in their own process -------------------------
.PHONY: coverage coverage-run
coverage: check-packages
	@find $(BUILD)/cov -name '*.gcda' -delete 2>/dev/null; $(M) BUILD=$(BUILD)/cov COV=1 LZO=y coverage-run >$(BUILD)/coverage.log 2>&1 || \
	    { tail -n 25 $(BUILD)/coverage.log; exit 1; }
	@$(PYTHON) tests/coverage.py $(if $(MISSING),--missing) $(BUILD)/cov
coverage-run: all replay unit $(BUILD)/tests/confine/test_verify
	$(BUILD)/tests/confine/test_verify
	PVBOOT_BUILD=$(BUILD) PVBOOT_SANDBOX=off $(PYTEST) tests/cli -k 'not no_permission' # nobody writes no counters

# ---- mutants: fifty-two bugs, planted one after the other; the tests that need no Xen have to notice -----------------
# Slow ones last; those of files, of Xen's side and of a whole guest's memory have nothing to say about bounds.
MUTANT_SLOW := $(BUILD)/tests/unit/test_codec
MUTANT_TESTS := $(BUILD)/tests/confine/test_verify \
    $(filter-out $(addprefix $(BUILD)/tests/unit/,test_file test_xen_% test_stub_start test_codec),$(UNIT))
.PHONY: mutants mutant-tests
mutants: check-packages
	@$(PYTHON) tests/mutants/run.py --must 50 $(if $(ONLY),--only $(ONLY)) $(BUILD)/mutants \
	    $(M) LZO=y BUILD=build SAN=1 SHARED=1 CFLAGS='-O1 -g -Wno-error' mutant-tests
mutant-tests: $(BUILD)/libpvboot-whole.so $(REPLAYS) $(MUTANT_TESTS) $(MUTANT_SLOW) $(BUILD)/corpus/made
	@for t in $(MUTANT_TESTS); do $$t || exit 1; done
	@for t in $(FUZZ); do $(BUILD)/replay-$$t $(BUILD)/corpus/$$t || exit 1; done
	@$(MUTANT_SLOW)
$(BUILD)/corpus/made:
	@$(M) $(CORPUS) && touch $@

# confine-c is all TAP; the other half is pytest.
.PHONY: confine confine-c confine-py
confine: confine-c confine-py
confine-c: $(CONFINE) $(BUILD)/pvboot-attack $(BUILD)/pvboot-parse
	@rc=0; for t in $(CONFINE); do CMOCKA_MESSAGE_OUTPUT=TAP $$t $(BUILD)/pvboot-attack || rc=1; done; exit $$rc
confine-py: $(BUILD)/pvboot $(BUILD)/pvboot-parse $(KEEPERS) $(COST) $(UNANSWERED) $(LACKING) $(BOOTLOADER)
	@PVBOOT_BUILD=$(BUILD) $(PYTEST) tests/confine

# Shape: what a compiler does not see. PURE may not do I/O, so nothing but memory and text functions may be undefined.
PURE := $(STARTINFO) $(addprefix src/builder/,base/memmap.c base/names.c image/bzimage.c image/entries.c load/load.c) \
        $(wildcard $(addprefix src/builder/,segment/*.c plan/*.c check/*.c))
SOURCES := $(shell git ls-files '*.[ch]' 2>/dev/null || find include src tests -name '*.[ch]')

.PHONY: check-pure check-headers check-format check-exports
check-pure: $(call obj,$(PURE) src/builder/base/error.c)
	$(LD) -r -o $(BUILD)/pure.o $^
	! nm -u $(BUILD)/pure.o | grep -vE ' (mem|str|v?snprintf|__v?snprintf_chk|__mem|__str|calloc|free|__assert_fail|__stack_chk_fail|_GLOBAL_|__ctype|(__)?explicit_bzero|pvb_codec_find)'
check-headers:
	for h in include/pvboot/*.h; do for cc in gcc clang; do \
	    case $$h in */xen.h) [ "$(HAVE_XEN)" = y ] || continue;; esac; \
	    echo "$$cc $$h"; $$cc -std=gnu11 -Iinclude $(WARN) -Wno-unused-function -x c -fsyntax-only $$h || exit 1; \
	done; done
	$(CC) -std=gnu11 -m32 -ffreestanding -nostdinc -isystem $(shell $(CC) -print-file-name=include) -Iinclude $(WARN) \
	    -Wno-unused-function -x c -fsyntax-only include/pvboot/handover.h
check-format:
	clang-format --dry-run -Werror $(SOURCES)
check-exports: $(PROGRAMS)
	nm -D --defined-only $(BUILD)/libpvboot.so | grep -q ' T pvboot_build@@PVBOOT_0.1$$'
	! nm -D --defined-only $(BUILD)/libpvboot.so | grep -vE ' (pvboot_[a-z0-9_]+|PVBOOT_0\.1)(@@PVBOOT_0\.1)?$$'
	! nm -D --defined-only $(BUILD)/pvboot-xl.so | grep -vE ' (xlu_cfg_(init|readdata|get_string)|xc_dom_(kernel_file|module_file|release))$$'

# What `make check` runs, each NAME=KIND=COMMAND (tests/run.py). M: this make, on another build directory.
M = $(MAKE) --no-print-directory -j2
PYTEST := $(PYTHON) -m pytest -q -p no:cacheprovider
SUITES = \
    'layers=plain=tests/check-layers' \
    'bad inputs=plain=tests/check-rows' \
    'format=plain=$(M) check-format' \
    'headers=plain=$(M) check-headers' \
    'pure=plain=$(M) check-pure' \
    'exports=plain=$(M) check-exports' \
    'build with clang=plain=$(M) BUILD=$(BUILD)/clang CC=clang all' \
    'build without Xen headers=plain=$(M) BUILD=$(BUILD)/noxen HAVE_XEN=n all' \
    'unit without Xen headers=tap=$(M) BUILD=$(BUILD)/noxen HAVE_XEN=n -s unit' \
    'unit=tap=$(M) LZO=y BUILD=$(BUILD)/lzo -s unit' \
    'unit, sanitizers=tap=$(M) LZO=y BUILD=$(BUILD)/san SAN=1 -s unit' \
    'fuzz corpus, sanitizers=tap=$(M) LZO=y BUILD=$(BUILD)/san SAN=1 -s replay' \
    'command line=closing=PVBOOT_BUILD=$(BUILD) $(PYTEST) tests/cli' \
    'stock libxenguest=closing=$(M) -s offline' \
    'fault sweep=closing=$(M) -s faults' \
    'stub and probes in QEMU=closing=$(M) -s probes && PVBOOT_BUILD=$(BUILD) $(PYTEST) tests/guests' \
    'confinement=tap=$(M) -s confine-c' \
    'confined parser=closing=$(M) -s confine-py' \
    'lab logic=closing=$(PYTEST) tests/lab' \
    'flight logic=closing=$(PYTEST) tests/flight'
LAB_SUITES = 'lab=closing=$(PYTHON) -m lab run --select smoke' \
    'flight=closing=$(PYTHON) -m lab compare --select smoke --anew --out $(BUILD)/lab/flight-smoke'

.PHONY: check check-now check-offline
check: check-packages lab-packages
	@$(M) check-now
check-now: all
	@tests/run.py --logs $(BUILD)/check $(SUITES) $(LAB_SUITES)
check-offline: check-packages
	@$(M) all
	@tests/run.py --logs $(BUILD)/check $(SUITES)

.PHONY: demo bench
demo: build-packages lab-packages
	@$(M) all
	@$(PYTHON) -m lab demo
bench: build-packages lab-packages
	@$(M) all
	@$(PYTHON) -m lab bench

# ---- install ---------------------------------------------------------------------------------------------------------
.PHONY: install
install: all
	install -D -m 755 $(BUILD)/pvboot $(DESTDIR)$(PREFIX)/bin/pvboot
	install -D -m 755 $(BUILD)/pvboot-parse $(DESTDIR)$(LIBEXECDIR)/pvboot-parse
	install -D -m 644 $(BUILD)/libpvboot.so $(DESTDIR)$(PREFIX)/lib/libpvboot.so.0
	ln -sf libpvboot.so.0 $(DESTDIR)$(PREFIX)/lib/libpvboot.so
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' pvboot.pc.in >$(DESTDIR)$(PREFIX)/lib/pkgconfig/pvboot.pc
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include/pvboot include/pvboot/*.h
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 man/pvboot.1
ifeq ($(HAVE_XEN),y)
	install -D -m 644 $(BUILD)/pvboot-xl.so $(DESTDIR)$(LIBEXECDIR)/pvboot-xl.so
	install -D -m 644 $(BUILD)/pvboot-stub.elf $(DESTDIR)$(LIBEXECDIR)/pvboot-stub.elf
	install -d $(DESTDIR)$(LIBEXECDIR)/bin
	sed 's|@LIBEXECDIR@|$(LIBEXECDIR)|' src/frontends/xl/xl.in >$(DESTDIR)$(LIBEXECDIR)/bin/xl
	chmod 755 $(DESTDIR)$(LIBEXECDIR)/bin/xl
endif

.PHONY: help
help:
	@sed -n '4,7p' Makefile | cut -c3-
	@echo '  make compare    every boot path on a real Xen, side by side (docs/compare.md)'
	@echo '  make check-offline  all tests but those on a real Xen; of these alone:'
	@echo '  make unit [SAN=1]   unit tests        make offline    the plugin in stock xl and libxenguest'
	@echo '  make confine        the sandbox       make faults     every request refused in turn'
	@echo '  make fuzz [TARGET=decode FUZZ_SECONDS=60]  new inputs for the fuzz targets, in CPU seconds each'
	@echo '  make coverage [MISSING=1]  what of parser, plan and verifier the tests run'
	@echo '  make mutants       fifty-two planted bugs, which the tests have to notice'
	@echo '  make clean      removes $(BUILD)'
	@echo '  options: V=1, LZO=y, HAVE_XEN=n, CC=clang, BUILD=dir'

.PHONY: clean
clean:
	rm -rf $(BUILD)
