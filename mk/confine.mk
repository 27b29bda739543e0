# SPDX-License-Identifier: LGPL-2.1-only
# The sandbox's own tests: an attacking helper around the same jail, its judge, faults, hostile answers.

ATTACK := $(wildcard tests/confine/attack_*.c) $(filter-out %/main.c,$(PARSE))
CONFINE := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/confine/test_*.c))
ifneq ($(HAVE_XEN),y)
CONFINE := $(filter-out %/test_kernel_cache %/test_place,$(CONFINE))
endif
CONFINE_HELPERS := $(call obj,$(addprefix tests/confine/,surroundings.c trial.c attack_calls.c))
COST := $(BUILD)/tests/confine/cost
UNANSWERED := $(BUILD)/tests/confine/unanswered
LACKING := $(BUILD)/tests/confine/lacking
BOOTLOADER := $(if $(filter y,$(HAVE_XEN)),$(BUILD)/tests/confine/bootloader $(BUILD)/pvboot-xl.so)

$(BUILD)/attack/%.o: %.c $(RULES) | $(BUILD)/libraries
	@mkdir -p $(@D) && $(call say,CC,$@)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(PARSE_CFLAGS) -DCPU_SECONDS=1u -MMD -MP -c -o $@ $<
# It may be given a guest's frames as well: the fake's.
$(BUILD)/pvboot-attack: $(patsubst %.c,$(BUILD)/attack/%.o,$(ATTACK) $(if $(filter y,$(HAVE_XEN)),tests/fake/frames.c))
	@$(call say,LD,$@)
	$(Q)$(parse_link) -o $@ $^ $(PARSE_LIBS)

$(BUILD)/tests/confine/test_kernel_cache: $(call obj,src/frontends/xl/kernel_cache.c src/config/kernel.c)
$(BUILD)/tests/confine/test_place: | $(BUILD)/tests/fake/pvboot-parse
$(BUILD)/tests/confine/test_seal $(BUILD)/tests/confine/test_held $(BUILD)/tests/confine/test_place: $(call obj,tests/unit/mkimage.c)
$(CONFINE) $(COST): $(BUILD)/tests/confine/%: $(BUILD)/tests/confine/%.o $(CONFINE_HELPERS) $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(link) -o $@ $(filter-out %.a,$^) $(filter %.a,$^) $(LIBS) -lcmocka -lseccomp
$(LACKING): $(BUILD)/tests/confine/lacking.o $(BUILD)/tests/confine/surroundings.o
	@$(call say,LD,$@)
	$(Q)$(link) -o $@ $^ -lcmocka -lseccomp
$(UNANSWERED): $(BUILD)/tests/confine/unanswered.o
	@$(call say,LD,$@)
	$(Q)$(link) -o $@ $^
$(BUILD)/tests/confine/bootloader: $(BUILD)/tests/confine/bootloader.o
	@$(call say,LD,$@)
	$(Q)$(link) -o $@ $^ -lxenguest -lxenctrl

# confine-c is all TAP; the other half is pytest.
.PHONY: confine confine-c confine-py
confine: confine-c confine-py
confine-c: $(CONFINE) $(BUILD)/pvboot-attack $(BUILD)/pvboot-parse
	@rc=0; for t in $(CONFINE); do CMOCKA_MESSAGE_OUTPUT=TAP $$t $(BUILD)/pvboot-attack || rc=1; done; exit $$rc
confine-py: $(BUILD)/pvboot $(BUILD)/pvboot-parse $(BUILD)/pvboot-attack $(KEEPERS) $(COST) $(UNANSWERED) $(LACKING) $(BOOTLOADER)
	@PVBOOT_BUILD=$(BUILD) $(PYTEST) tests/confine
