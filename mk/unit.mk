# SPDX-License-Identifier: LGPL-2.1-only
# Unit tests: a program for each test_*.c.

UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
UNIT_HELPERS := $(call obj,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
# Xen's calls, on the fake of offline.mk; the stub's own part, on the host.
XEN_UNIT := $(filter $(BUILD)/tests/unit/test_xen_%,$(UNIT))
STUB_UNIT := $(filter $(BUILD)/tests/unit/test_stub_%,$(UNIT))
STUB_PURE := $(call obj,src/stub/input.c src/stub/prepare.c $(wildcard tests/unit/stub/*.c))
ifneq ($(HAVE_XEN),y)
UNIT := $(filter-out $(XEN_UNIT) $(STUB_UNIT),$(UNIT))
endif

$(BUILD)/tests/%.o: OWN_CPPFLAGS += -Isrc
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(UNIT_HELPERS) $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(link) $(WRAP) -o $@ $^ $(LIBS) -lcmocka
$(XEN_UNIT): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(FAKE) $(call obj,$(XEN)) $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(link) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS) $(XEN_UNIT_LIBS) -lcmocka
$(STUB_UNIT): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(UNIT_HELPERS) $(STUB_PURE) $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(link) -o $@ $^ $(LIBS) -lcmocka

# What the tests of the parser show it is kept, for tests/confine to show the program.
KEEPERS := $(filter $(BUILD)/tests/unit/test_image_% $(BUILD)/tests/unit/test_codec%,$(UNIT))
$(KEEPERS): $(BUILD)/tests/unit/keep/keep.o
$(KEEPERS): private WRAP := -Wl,--wrap=pvboot_kernel_parse,--wrap=pvboot_kernel_unpack

.PHONY: unit $(UNIT:%=run/%)
unit: $(UNIT:%=run/%)
$(UNIT:%=run/%): run/%: %
	@$<
