# SPDX-License-Identifier: LGPL-2.1-only
# The confined parser: only what parses, always without sanitizers, which no sandbox of this kind would let work.

PARSE := $(filter-out %/guest_$(if $(filter y,$(HAVE_XEN)),none,xen).c,$(wildcard src/frontends/parse/*.c)) \
         $(addprefix src/sandbox/,layers.c frames.c) \
         $(addprefix src/builder/base/,errno.c error.c names.c) src/builder/file/memfd.c $(wildcard src/builder/image/*.c)

PARSE_OBJ := $(patsubst %.c,$(BUILD)/parse/%.o,$(PARSE))
PARSE_LIBS := $(shell $(PKG_CONFIG) --static --libs libelf $(CODEC_PKGS) libseccomp \
                $(if $(filter y,$(HAVE_XEN)),xenforeignmemory) 2>/dev/null) -lbz2 $(LZO_LIB)
PARSE_CFLAGS = -std=gnu11 -fvisibility=hidden -ffunction-sections $(WARN) $(HARDEN) $(PREFIX_MAP) $(CFLAGS) -fPIE
# It starts in 7 ms where it needs no library, and in 17 where it does (both in a PV dom0).  PARSE_STATIC=n: with libraries.
# Some libelf.a cannot be linked with: Debian 13's lacks what it calls.
PARSE_STATIC ?= $(shell printf '\043include <libelf.h>\nint main(void) { return elf_begin(0, ELF_C_NULL, 0) != 0; }' | \
                  $(CC) -static-pie -x c -o /dev/null - $(PARSE_LIBS) 2>/dev/null && echo y)
parse_link = $(CC) $(PARSE_CFLAGS) $(ALL_LDFLAGS) $(if $(filter y,$(PARSE_STATIC)),-static-pie,-pie) -Wl,--gc-sections
PROGRAMS += $(BUILD)/pvboot-parse

$(BUILD)/parse/%.o: %.c $(RULES) | $(BUILD)/libraries
	@mkdir -p $(@D) && $(call say,CC,$@)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(PARSE_CFLAGS) -MMD -MP -c -o $@ $<
# And for tests the same program, with a fake of the one library that asks Xen.
$(BUILD)/tests/fake/pvboot-parse: $(BUILD)/parse/tests/fake/frames.o
$(BUILD)/pvboot-parse $(BUILD)/tests/fake/pvboot-parse: $(PARSE_OBJ)
	@mkdir -p $(@D)
	@$(call say,LD,$@)
	$(Q)$(parse_link) -o $@ $^ $(PARSE_LIBS)
