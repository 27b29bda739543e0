# SPDX-License-Identifier: LGPL-2.1-only
# Options, the flags of every compilation and link on the host, and the rule that compiles.
#
# CPPFLAGS, CFLAGS and LDFLAGS belong to who calls make, from the environment or the command line. What the sources
# cannot do without is in variables of our own, so nothing is lost by setting them.

BUILD ?= build
RELEASE ?=

# RELEASE=trixie builds for another Debian release than this machine's: by this machine's compiler, with that release's
# headers and libraries, which the lab has in a directory.
OWN_RELEASE := $(shell . /etc/os-release && echo $$VERSION_CODENAME)
ifneq ($(filter-out $(OWN_RELEASE),$(RELEASE)),)
BUILD := build/$(RELEASE)
SYSROOT := $(shell $(or $(PYTHON),/usr/bin/python3) -m lab root --release $(RELEASE))
ifeq ($(SYSROOT),)
$(error no libraries of release '$(RELEASE)')
endif
# Beside itself gcc looks first, whatever its sysroot, unless a directory is named to it.
override CC := $(CC) --sysroot=$(SYSROOT) -B$(SYSROOT)/usr/lib/x86_64-linux-gnu
PKG_CONFIG := env PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) PKG_CONFIG_PATH= \
                  PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/x86_64-linux-gnu/pkgconfig:$(SYSROOT)/usr/share/pkgconfig pkg-config
export PVBOOT_RELEASE := $(RELEASE)
endif

VERSION := 0.1.0

PREFIX ?= /usr
LIBEXECDIR ?= $(PREFIX)/lib/pvboot
CACHEDIR ?= /var/cache/pvboot

PKG_CONFIG ?= pkg-config
PYTHON ?= /usr/bin/python3
CFLAGS ?= -O2 -g
# Warnings are errors for CI and developers: another compiler's new warning is no reason not to build.
WERROR ?=

# What this machine has. Xen's headers and lzo2 are optional: everything else is required (libraries.mk).
ifeq ($(origin HAVE_XEN),undefined)
HAVE_XEN := $(shell $(PKG_CONFIG) --exists xenguest xencontrol xenforeignmemory xenevtchn xenstore xenlight xlutil 2>/dev/null && echo y)
endif
LZO ?= n

comma := ,
cc_knows = $(shell $(CC) $(1) -x c -c -o /dev/null /dev/null 2>/dev/null && echo $(1))

WARN = -Wall -Wextra -Wshadow -Wconversion -Wvla $(if $(filter 1 y,$(WERROR)),-Werror)

# A level of the caller's stands; ours needs an optimiser.
FORTIFY = $(if $(findstring _FORTIFY_SOURCE,$(CC) $(CPPFLAGS) $(CFLAGS)),,\
            $(if $(filter-out -O0,$(filter -O%,$(CFLAGS))),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
CET := $(call cc_knows,-fcf-protection)
HARDEN_CC := -fstack-protector-strong $(call cc_knows,-fstack-clash-protection) $(CET)
HARDEN = $(HARDEN_CC) $(FORTIFY)
HARDEN_LD := -Wl,-z,relro,-z,now,-z,noexecstack

# The same sources make the same files, wherever they are.
PREFIX_MAP := -ffile-prefix-map=$(CURDIR)=.

# Sanitizers look at the calls that _FORTIFY_SOURCE, even the caller's, would turn into others. After -Wp, nothing
# brings it back.
NO_FORTIFY := -Wp,-U_FORTIFY_SOURCE
SAN_FLAGS = $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer) \
            $(if $(TSAN),-fsanitize=thread) \
            $(if $(FUZZER),-fsanitize=fuzzer-no-link) $(if $(COV),--coverage -O0 -Wno-format-truncation) \
            $(if $(SAN)$(TSAN)$(FUZZER)$(COV),$(NO_FORTIFY))

OWN_CPPFLAGS = -Iinclude $(LIB_CFLAGS) -D_GNU_SOURCE -DPVBOOT_VERSION='"$(VERSION)"' \
               -DPVBOOT_LIBEXECDIR='"$(LIBEXECDIR)"' -DPVBOOT_CACHEDIR='"$(CACHEDIR)"' \
               $(if $(filter y,$(HAVE_XEN)),-DHAVE_XEN=1) $(if $(filter y,$(LZO)),-DHAVE_LZO=1)
ALL_CPPFLAGS = $(OWN_CPPFLAGS) $(CPPFLAGS)
ALL_CFLAGS = -std=gnu11 $(WARN) $(if $(SAN)$(TSAN)$(COV),,$(HARDEN) $(PREFIX_MAP)) $(CFLAGS) -fPIC $(SAN_FLAGS)
ALL_LDFLAGS = $(HARDEN_LD) $(LDFLAGS)

# V=1 shows whole commands.
Q := $(if $(V),,@)
say = $(if $(V),:,printf '  %-5s %s\n' $(1) $(2))

obj = $(patsubst %.c,$(BUILD)/%.o,$(1))
link = $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)

# What objects are made by: a changed flag makes them anew.
RULES := Makefile $(wildcard mk/*.mk)

$(BUILD)/%.o: %.c $(RULES) | $(BUILD)/libraries
	@mkdir -p $(@D) && $(call say,CC,$@)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/src/%.o: src/%.S $(RULES) | $(BUILD)/libraries
	@mkdir -p $(@D) && $(call say,AS,$@)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

.PHONY: FORCE

# This make, on another build directory; and the tests written in Python.
M = $(MAKE) --no-print-directory -j2
PYTEST := $(PYTHON) -m pytest -q -p no:cacheprovider
