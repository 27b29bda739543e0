# SPDX-License-Identifier: LGPL-2.1-only
# The plugin for xl, and what calls Xen for it.

XEN := $(wildcard src/builder/xen/*.c)
XL := $(wildcard src/frontends/xl/*.c)

XL_OBJ := $(call obj,$(XEN) $(XL) $(CONFIG))
PROGRAMS += $(if $(filter y,$(HAVE_XEN)),$(BUILD)/pvboot-xl.so)

$(BUILD)/pvboot-xl.so: $(XL_OBJ) $(BUILD)/libpvboot.a src/frontends/xl/pvboot-xl.map
	@$(call say,LD,$@)
	$(Q)$(link) -shared -Wl,--version-script=src/frontends/xl/pvboot-xl.map -Wl,-z,defs \
	    -o $@ $(XL_OBJ) $(BUILD)/libpvboot.a $(LIBS) -lxenforeignmemory -ldl
