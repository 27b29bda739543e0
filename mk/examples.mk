# SPDX-License-Identifier: LGPL-2.1-only
# Examples that are programs: a freestanding PVH guest, and what makes a stock xenstored work outside dom0.

UNIKERNEL := $(patsubst %,$(BUILD)/%.o,$(basename $(wildcard examples/unikernel/*.[cS])))
EXAMPLES := $(if $(filter y,$(HAVE_XEN)),$(BUILD)/examples/unikernel.elf) $(BUILD)/examples/xsd.so

.PHONY: examples
examples: $(EXAMPLES)

$(BUILD)/examples/unikernel/%.o: examples/unikernel/%.c $(RULES)
	@mkdir -p $(@D) && $(call say,CC32,$@)
	$(Q)$(CC) -m32 -march=i686 -mgeneral-regs-only -std=gnu11 -Os -g $(FREESTANDING) -MMD -MP -c -o $@ $<
$(BUILD)/examples/unikernel/%.o: examples/unikernel/%.S $(RULES)
	@mkdir -p $(@D) && $(call say,AS32,$@)
	$(Q)$(CC) -m32 $(FREESTANDING) -MMD -MP -c -o $@ $<
$(BUILD)/examples/unikernel.elf: $(UNIKERNEL) examples/unikernel/unikernel.lds
	@$(call say,LD32,$@)
	$(Q)$(CC) -m32 -static -nostdlib -no-pie -Wl,-m,elf_i386 -Wl,--build-id=none -Wl,--no-warn-rwx-segments \
	    -Wl,-T,examples/unikernel/unikernel.lds -o $@ $(UNIKERNEL)
$(BUILD)/examples/xsd.so: examples/xenstored/xsd.c $(RULES)
	@mkdir -p $(@D) && $(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 $(WARN) -shared -fPIC -o $@ $<
