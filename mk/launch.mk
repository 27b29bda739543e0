# SPDX-License-Identifier: LGPL-2.1-only
# Domains without libxl: a program of its own, so that the pvboot command needs none of Xen's libraries.

LAUNCH := $(wildcard src/frontends/launch/*.c)
LAUNCH_OBJ := $(call obj,$(LAUNCH))
LAUNCH_LIBS := -lxenguest -lxenctrl -lxenforeignmemory -lxenevtchn -lxenstore -lxlutil
PROGRAMS += $(if $(filter y,$(HAVE_XEN)),$(BUILD)/pvboot-launch)

$(BUILD)/pvboot-launch: $(LAUNCH_OBJ) $(call obj,$(XEN)) $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(link) -pie -o $@ $^ $(LIBS) $(LAUNCH_LIBS)

# Its test, on the fake Xen: everything but main().
LAUNCH_TEST := $(BUILD)/tests/unit/test_xen_launch
$(LAUNCH_TEST): $(filter-out %/main.o,$(LAUNCH_OBJ)) $(call obj,tests/fake/domain.c tests/fake/store.c tests/unit/mkimage.c)
$(LAUNCH_TEST): XEN_UNIT_LIBS := -lxlutil
