# SPDX-License-Identifier: LGPL-2.1-only
# Domains without libxl: a program of its own, so that the pvboot command needs none of Xen's libraries.

LAUNCH := $(wildcard src/frontends/launch/*.c)
LAUNCH_OBJ := $(call obj,$(LAUNCH))
LAUNCH_LIBS := -lxenguest -lxenctrl -lxenforeignmemory -lxenevtchn -lxenstore -lxentoollog -lxlutil -pthread
# Each program is all of it, with a main() of its own.
LAUNCH_MAINS := $(BUILD)/src/frontends/launch/main.o $(BUILD)/src/frontends/launch/storedom_main.o
LAUNCH_PARTS := $(filter-out $(LAUNCH_MAINS),$(LAUNCH_OBJ))
LAUNCH_PROGRAMS := $(BUILD)/pvboot-launch $(BUILD)/pvboot-init-xenstore-domain
PROGRAMS += $(if $(filter y,$(HAVE_XEN)),$(LAUNCH_PROGRAMS))

$(BUILD)/pvboot-launch: $(BUILD)/src/frontends/launch/main.o
$(BUILD)/pvboot-init-xenstore-domain: $(BUILD)/src/frontends/launch/storedom_main.o
$(LAUNCH_PROGRAMS): $(LAUNCH_PARTS) $(call obj,$(XEN) src/config/store.c) $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(link) -pie -o $@ $^ $(LIBS) $(LAUNCH_LIBS)

# Its test, on the fake Xen: everything but main(), and what the fake stands in for.
LAUNCH_TEST := $(addprefix $(BUILD)/tests/unit/test_xen_,launch storedom soft_reset)
$(LAUNCH_TEST): $(filter-out %/surroundings.o %/guard.o,$(LAUNCH_PARTS)) $(call obj,$(addprefix tests/fake/,domain.c store.c surroundings.c) tests/unit/mkimage.c)
$(LAUNCH_TEST): XEN_UNIT_LIBS := -lxentoollog -lxlutil
