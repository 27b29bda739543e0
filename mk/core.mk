# SPDX-License-Identifier: LGPL-2.1-only
# libpvboot and the pvboot command.
# Layers: frontends -> config -> cache -> sandbox -> builder -> startinfo -> include/pvboot. tests/check-layers holds the
# sources to it.

# The two that need Xen's headers, or their stand-in.
STARTINFO := $(filter-out $(if $(filter y,$(HAVE_XEN)),%/start_info_none.c,%/start_info.c %/pv_start_info.c),$(wildcard src/startinfo/*.c))
BUILDER := $(filter-out %_xen.c,$(wildcard src/builder/*/*.c))
# Code of a guest's, which is data to us.
GUEST_CODE := $(BUILD)/src/builder/pack/entry.o
SANDBOX := $(wildcard src/sandbox/*.c)
CACHE := $(wildcard src/cache/*.c)
# What an xl.cfg says, for whoever has a libxlutil to read it with.
CONFIG := $(wildcard src/config/*.c)
# Reading one needs libxlutil's headers; else there is a stand-in.
CLI_XL := $(addprefix src/frontends/cli/,config.c check.c xlcfg.c)
CLI := $(filter-out $(if $(filter y,$(HAVE_XEN)),%/config_none.c,$(CLI_XL)),$(wildcard src/frontends/cli/*.c)) \
       $(if $(filter y,$(HAVE_XEN)),$(CONFIG))

CORE_OBJ := $(call obj,$(STARTINFO) $(BUILDER) $(SANDBOX) $(CACHE)) $(GUEST_CODE)
PROGRAMS := $(BUILD)/pvboot $(BUILD)/libpvboot.so
LIBRARY_NAMES := pvboot

# The two objects that know where the rest is installed, or lies.
$(BUILD)/libexecdir: FORCE
	@mkdir -p $(@D) && echo '$(LIBEXECDIR) $(CACHEDIR)' | cmp -s - $@ || echo '$(LIBEXECDIR) $(CACHEDIR)' >$@
$(BUILD)/src/sandbox/confine.o $(BUILD)/src/cache/find.o: $(BUILD)/libexecdir

ifeq ($(SHARED),)
$(BUILD)/libpvboot.a: $(CORE_OBJ)
	@rm -f $@ && $(call say,AR,$@)
	$(Q)$(AR) rcsD $@ $^
else # the linker reads it as a script: what links to the library need not be linked again when it changes
$(BUILD)/libpvboot.a: | $(BUILD)/libpvboot-whole.so
	@echo 'INPUT($(abspath $(BUILD))/libpvboot-whole.so)' >$@
$(BUILD)/libpvboot-whole.so: $(CORE_OBJ)
	@$(call say,LD,$@)
	$(Q)$(link) -shared -o $@ $^ $(LIBS)
endif

$(BUILD)/libpvboot.so: $(CORE_OBJ) src/libpvboot.map
	@$(call say,LD,$@)
	$(Q)$(link) -shared -Wl,-soname,libpvboot.so.0 -Wl,--version-script=src/libpvboot.map -Wl,-z,defs \
	    -o $@ $(CORE_OBJ) $(LIBS)

$(BUILD)/pvboot: $(call obj,$(CLI)) $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(link) -pie -o $@ $^ $(LIBS) $(if $(filter y,$(HAVE_XEN)),-ldl)
