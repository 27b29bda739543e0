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
PYTHON ?= python3
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wconversion -Werror -Wvla
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2
SAN_FLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
comma := ,

# What this machine has. Xen's headers and lzo2 are optional: everything else is required.
HAVE_XEN ?= $(shell $(PKG_CONFIG) --exists xenguest xencontrol xenforeignmemory xenlight xlutil 2>/dev/null && echo y)
LZO ?= n
CODEC_PKGS := zlib liblzma liblz4 libzstd
PKGS := libelf jansson $(CODEC_PKGS)
LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -lbz2 -lgcrypt $(if $(filter y,$(LZO)),-llzo2)

CPPFLAGS += -Iinclude -D_GNU_SOURCE -DPVBOOT_VERSION='"$(VERSION)"' -DPVBOOT_LIBEXECDIR='"$(LIBEXECDIR)"' \
            $(if $(filter y,$(HAVE_XEN)),-DHAVE_XEN=1) $(if $(filter y,$(LZO)),-DHAVE_LZO=1)
ALL_CFLAGS = -std=gnu11 -fPIC -fvisibility=hidden $(WARN) $(if $(SAN),,$(HARDEN)) $(CFLAGS) $(SAN_FLAGS)

# Layers: frontends -> builder -> startinfo -> include/pvboot. tests/check-layers holds the sources to it.
# One of start_info.c, which needs Xen's headers, and its stand-in.
STARTINFO := $(filter-out src/startinfo/start_info$(if $(filter y,$(HAVE_XEN)),_none).c,$(wildcard src/startinfo/*.c))
BUILDER := $(filter-out %_xen.c,$(wildcard src/builder/*.c))
XEN := $(wildcard src/builder/*_xen.c)
CLI := $(wildcard src/frontends/cli/*.c)
XL := $(wildcard src/frontends/xl/*.c)

# V=1 shows whole commands.
Q := $(if $(V),,@)
say = $(if $(V),:,printf '  %-5s %s\n' $(1) $(2))

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
CORE_OBJ := $(call obj,$(STARTINFO) $(BUILDER))
XL_OBJ := $(call obj,$(XEN) $(XL))

PROGRAMS := $(BUILD)/pvboot $(BUILD)/libpvboot.so $(if $(filter y,$(HAVE_XEN)),$(BUILD)/pvboot-xl.so)

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

$(BUILD)/libpvboot.a: $(CORE_OBJ)
	@rm -f $@ && $(call say,AR,$@)
	$(Q)$(AR) rcs $@ $^

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

# ---- the in-guest stub: 32-bit, without libc; gcc -m32 needs no multilib packages for that -------------------------
STUB := $(wildcard src/stub/*.c) $(STARTINFO)
STUB_OBJ := $(patsubst %,$(BUILD)/stub/%.o,$(basename $(STUB) src/stub/head.S))
STUB_CFLAGS = -m32 -march=i686 -mno-mmx -mno-sse -mgeneral-regs-only -std=gnu11 -Os -g -ffreestanding -fno-pic -fno-pie \
              -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none $(WARN) -nostdinc \
              -isystem $(shell $(CC) -print-file-name=include) -Isrc/stub/libc -Iinclude \
              -idirafter /usr/include/$(shell $(CC) -print-multiarch) -idirafter /usr/include \
              -DPVBOOT_VERSION='"$(VERSION)"'
all: $(if $(filter y,$(HAVE_XEN)),$(BUILD)/pvboot-stub.elf)

$(BUILD)/stub/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(STUB_CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/stub/%.o: %.S Makefile
	@mkdir -p $(@D)
	$(CC) $(STUB_CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/pvboot-stub.elf: $(STUB_OBJ) src/stub/stub.lds
	$(CC) -m32 -static -nostdlib -no-pie -Wl,-m,elf_i386 -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-T,src/stub/stub.lds \
	    -o $@.debug $(STUB_OBJ)
	objcopy --strip-all $@.debug $@

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# ---- what the targets below need, as Debian 12 names it; tests/need installs it or says how --------------------
BUILD_PACKAGES := gcc libc6-dev pkg-config libelf-dev libjansson-dev libgcrypt20-dev zlib1g-dev libbz2-dev liblzma-dev \
                  liblz4-dev libzstd-dev libxen-dev python3
CHECK_PACKAGES := $(BUILD_PACKAGES) clang clang-format libclang-rt-14-dev libcmocka-dev liblzo2-dev python3-pytest \
                  xz-utils bzip2 lz4 zstd lzop binutils file
LAB_PACKAGES := qemu-system-x86 xen-hypervisor-4.17-amd64 xen-utils-4.17 xen-utils-common xenstore-utils \
                linux-image-amd64 busybox-static cpio grub-xen-bin kmod

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

.PHONY: unit
unit: $(UNIT)
	@rc=0; for t in $(UNIT); do $$t || rc=1; done; exit $$rc

.PHONY: clean
clean:
	rm -rf $(BUILD)
