# SPDX-License-Identifier: LGPL-2.1-only
# What runs on a real Xen in QEMU, and the program that reads what a paused domain is about to start with.

CAPTURE := $(wildcard src/frontends/capture/*.c)
PROGRAMS += $(if $(filter y,$(HAVE_XEN)),$(BUILD)/pvboot-capture)

$(BUILD)/pvboot-capture: $(call obj,$(CAPTURE)) $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(link) -pie -o $@ $^ $(LIBS) -lxenctrl -lxenforeignmemory

.PHONY: compare demo bench bench-native
compare: build-packages lab-packages
	@$(M) all
	@PVBOOT_BUILD=$(BUILD) $(PYTHON) -m lab compare --rounds 5 --out $(BUILD)/lab/flight
demo: build-packages lab-packages
	@$(M) all
	@$(PYTHON) -m lab demo
bench: build-packages lab-packages
	@$(M) all
	@PVBOOT_BUILD=$(BUILD) $(PYTHON) -m lab bench
bench-native: build-packages
	@$(M) all $(BUILD)/tests/offline/driver
	@PVBOOT_BUILD=$(BUILD) $(PYTHON) -m lab bench-native
