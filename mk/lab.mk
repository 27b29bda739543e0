# SPDX-License-Identifier: LGPL-2.1-only
# What runs on a real Xen in QEMU, and the program that reads what a paused domain is about to start with.

CAPTURE := $(wildcard src/frontends/capture/*.c)
PROGRAMS += $(if $(filter y,$(HAVE_XEN)),$(BUILD)/pvboot-capture)

$(BUILD)/pvboot-capture: $(call obj,$(CAPTURE)) $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(link) -pie -o $@ $^ $(LIBS) -lxenctrl -lxenforeignmemory

# Another release's is in its own directory, where the lab looks by itself.
LAB_ENV := $(if $(SYSROOT),,PVBOOT_BUILD=$(BUILD))

.PHONY: compare demo bench bench-native
compare: build-packages lab-packages
	@$(M) all
	@$(LAB_ENV) $(PYTHON) -m lab compare --rounds 5
demo: build-packages lab-packages
	@$(M) all
	@$(PYTHON) -m lab demo
# The same guests on each of these releases' Xen, and what differs.
PLATFORMS ?= bookworm trixie
.PHONY: platforms
platforms: build-packages lab-packages
	@for r in $(PLATFORMS); do $(PYTHON) -m lab compare --release $$r --select smoke --anew \
	    --out $(BUILD)/lab/platforms/$$r || exit; done
	@$(PYTHON) -m lab versions $(PLATFORMS:%=$(BUILD)/lab/platforms/%) --out docs/platforms.md
# A Linux with the patches of linux/, built once for what it is made of, and booted.
.PHONY: linux-kernel linux-boots
linux-kernel: linux-packages
	@$(PYTHON) -m lab linux --build
linux-boots: build-packages lab-packages linux-packages
	@$(M) all
	@$(LAB_ENV) $(PYTHON) -m lab linux
bench: build-packages lab-packages
	@$(M) all
	@$(LAB_ENV) $(PYTHON) -m lab bench
bench-native: build-packages
	@$(M) all $(BUILD)/tests/offline/driver
	@PVBOOT_BUILD=$(BUILD) $(PYTHON) -m lab bench-native
