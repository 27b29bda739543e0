# SPDX-License-Identifier: LGPL-2.1-only
# install and uninstall, from one list. PREFIX, LIBEXECDIR and CACHEDIR, which programs know, are in config.mk.

DESTDIR ?=
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man

# The lab stays in its tree, and so does its page.
MANUAL := $(filter-out man/pvboot-lab.1,$(wildcard man/*.[1-9]))

# mode:what:where
INSTALLED = \
    755:$(BUILD)/pvboot:$(BINDIR)/pvboot \
    755:$(BUILD)/pvboot-parse:$(LIBEXECDIR)/pvboot-parse \
    755:src/frontends/cli/kernel-hook:$(LIBEXECDIR)/kernel-hook \
    644:src/sandbox/pvboot.sysusers:$(PREFIX)/lib/sysusers.d/pvboot.conf \
    644:$(BUILD)/libpvboot.so:$(LIBDIR)/libpvboot.so.0 \
    644:$(BUILD)/libpvboot.a:$(LIBDIR)/libpvboot.a \
    $(foreach h,$(filter-out %/xen.h,$(wildcard include/pvboot/*.h)),644:$h:$(INCLUDEDIR)/pvboot/$(notdir $h)) \
    644:src/frontends/cli/completion/pvboot.bash:$(PREFIX)/share/bash-completion/completions/pvboot \
    644:src/frontends/cli/completion/_pvboot:$(PREFIX)/share/zsh/vendor-completions/_pvboot \
    $(foreach m,$(MANUAL),644:$m:$(MANDIR)/man$(subst .,,$(suffix $m))/$(notdir $m))
ifeq ($(HAVE_XEN),y)
INSTALLED += \
    755:$(BUILD)/pvboot-launch:$(LIBEXECDIR)/pvboot-launch \
    644:$(BUILD)/libpvboot-xen.so:$(LIBDIR)/libpvboot-xen.so.0 \
    644:$(BUILD)/libpvboot-xen.a:$(LIBDIR)/libpvboot-xen.a \
    644:include/pvboot/xen.h:$(INCLUDEDIR)/pvboot/xen.h \
    755:$(BUILD)/pvboot-init-xenstore-domain:$(LIBEXECDIR)/pvboot-init-xenstore-domain \
    644:$(BUILD)/pvboot-xl.so:$(LIBEXECDIR)/pvboot-xl.so \
    644:$(BUILD)/pvboot-stub.elf:$(LIBEXECDIR)/pvboot-stub.elf
WRAPPER = $(LIBEXECDIR)/bin/xl
SWITCH = $(BINDIR)/pvboot-xl
endif
# What is written at installation, for it knows the directories; and the directories that are ours alone.
LINK = $(LIBRARY_NAMES:%=$(LIBDIR)/lib%.so)
MODULE = $(LIBRARY_NAMES:%=$(LIBDIR)/pkgconfig/%.pc)
OWN_DIRS = $(LIBEXECDIR)/bin $(LIBEXECDIR) $(INCLUDEDIR)/pvboot

where = $(DESTDIR)$(lastword $(subst :, ,$(1)))
# Two directories under the prefix are told by it, so that pkg-config can move them with it.
under_prefix = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))
define install_one
install -D -m $(word 1,$(subst :, ,$(1))) $(word 2,$(subst :, ,$(1))) $(call where,$(1))

endef

.PHONY: install uninstall
define install_library
ln -sf lib$(1).so.0 $(DESTDIR)$(LIBDIR)/lib$(1).so
sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@PKGS@|$(PKGS) $(GCRYPT_PKG)|' \
    -e 's|@LIBS@|-lbz2 $(strip $(GCRYPT_STATIC) $(LZO_LIB))|' \
    -e 's|@LIBDIR@|$(call under_prefix,$(LIBDIR))|' -e 's|@INCLUDEDIR@|$(call under_prefix,$(INCLUDEDIR))|' \
    $(1).pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/$(1).pc

endef

install: all $(LIBRARY_NAMES:%=$(BUILD)/lib%.a)
	$(foreach i,$(INSTALLED),$(call install_one,$i))
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig
	$(foreach l,$(LIBRARY_NAMES),$(call install_library,$l))
ifneq ($(WRAPPER),)
	install -d $(DESTDIR)$(dir $(WRAPPER))
	sed 's|@LIBEXECDIR@|$(LIBEXECDIR)|' src/frontends/xl/xl.in >$(DESTDIR)$(WRAPPER)
	sed 's|@LIBEXECDIR@|$(LIBEXECDIR)|' src/frontends/xl/pvboot-xl.in >$(DESTDIR)$(SWITCH)
	chmod 755 $(DESTDIR)$(WRAPPER) $(DESTDIR)$(SWITCH)
endif

uninstall:
	rm -f $(foreach i,$(INSTALLED),$(call where,$i)) $(addprefix $(DESTDIR),$(LINK) $(MODULE) $(WRAPPER) $(SWITCH))
	for d in $(addprefix $(DESTDIR),$(OWN_DIRS)); do ! [ -d $$d ] || rmdir --ignore-fail-on-non-empty $$d; done
