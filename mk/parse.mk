# SPDX-License-Identifier: LGPL-2.1-only
# The confined parser: only what parses, always without sanitizers, which no sandbox of this kind would let work.

PARSE := $(wildcard src/frontends/parse/*.c) src/sandbox/layers.c \
         $(addprefix src/builder/base/,errno.c error.c names.c) src/builder/file/file.c $(wildcard src/builder/image/*.c)

PARSE_OBJ := $(patsubst %.c,$(BUILD)/parse/%.o,$(PARSE))
PARSE_LIBS := $(shell $(PKG_CONFIG) --libs libelf $(CODEC_PKGS) libseccomp 2>/dev/null) -lbz2 $(LZO_LIB)
PARSE_CFLAGS = -std=gnu11 -fvisibility=hidden -ffunction-sections $(WARN) $(HARDEN) $(PREFIX_MAP) $(CFLAGS) -fPIE
parse_link = $(CC) $(PARSE_CFLAGS) $(ALL_LDFLAGS) -pie -Wl,--gc-sections
PROGRAMS += $(BUILD)/pvboot-parse

$(BUILD)/parse/%.o: %.c $(RULES) | $(BUILD)/libraries
	@mkdir -p $(@D) && $(call say,CC,$@)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(PARSE_CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/pvboot-parse: $(PARSE_OBJ)
	@$(call say,LD,$@)
	$(Q)$(parse_link) -o $@ $^ $(PARSE_LIBS)
