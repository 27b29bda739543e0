# SPDX-License-Identifier: LGPL-2.1-only
# The plugin for xl, and what calls Xen for it and for others: libpvboot-xen, whose caller brings Xen's own libraries.

XEN := $(wildcard src/builder/xen/*.c)
XL := $(wildcard src/frontends/xl/*.c)

XL_OBJ := $(call obj,$(XEN) $(XL) $(CONFIG))
# Of libpvboot's internal functions it needs one, to fail: a copy.
XEN_LIB_OBJ := $(call obj,$(XEN) src/builder/base/error.c)
PROGRAMS += $(if $(filter y,$(HAVE_XEN)),$(BUILD)/libpvboot-xen.so)
LIBRARY_NAMES += $(if $(filter y,$(HAVE_XEN)),pvboot-xen)
PROGRAMS += $(if $(filter y,$(HAVE_XEN)),$(BUILD)/pvboot-xl.so)

$(BUILD)/libpvboot-xen.so: $(XEN_LIB_OBJ) $(BUILD)/libpvboot.so src/libpvboot-xen.map
	@$(call say,LD,$@)
	$(Q)$(link) -shared -Wl,-soname,libpvboot-xen.so.0 -Wl,--version-script=src/libpvboot-xen.map -Wl,-z,defs \
	    -o $@ $(XEN_LIB_OBJ) $(BUILD)/libpvboot.so
$(BUILD)/libpvboot-xen.a: $(call obj,$(XEN))
	@rm -f $@ && $(call say,AR,$@)
	$(Q)$(AR) rcsD $@ $^

$(BUILD)/pvboot-xl.so: $(XL_OBJ) $(BUILD)/libpvboot.a src/frontends/xl/pvboot-xl.map
	@$(call say,LD,$@)
	$(Q)$(link) -shared -Wl,--version-script=src/frontends/xl/pvboot-xl.map -Wl,-z,defs \
	    -o $@ $(XL_OBJ) $(BUILD)/libpvboot.a $(LIBS) -lxenforeignmemory -ldl
# Its part that needs no xl, by itself.
$(BUILD)/tests/unit/test_xen_gpe: $(BUILD)/src/frontends/xl/acpi.o
