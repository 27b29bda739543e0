# SPDX-License-Identifier: LGPL-2.1-only
# Probe guests: kernels that only tell what they found, one per way in.

PROBES := $(BUILD)/guests/probe-pvh.elf $(BUILD)/guests/probe-linux32.bzimage $(BUILD)/guests/probe-linux64.bzimage \
          $(BUILD)/guests/probe-vmlinux64.elf
PROBE_SRC := $(wildcard tests/guests/*.c) tests/guests/entry.S
PROBE_CFLAGS = -std=gnu11 -mgeneral-regs-only -mno-red-zone -Os -g $(FREESTANDING) -Isrc/stub/libc

.PHONY: probes
probes: $(if $(filter y,$(HAVE_XEN)),$(PROBES) $(BUILD)/guests/jump.elf)

$(BUILD)/guests/jump.elf: tests/guests/jump.S $(RULES)
	@mkdir -p $(@D) && $(call say,LD32,$@)
	$(Q)$(CC) -m32 -static -nostdlib -no-pie -Wl,-m,elf_i386 -Wl,--build-id=none -Wl,-e,jump -Wl,-Ttext=0x7000000 \
	    -Wl,--section-start=.note.Xen=0x7000100 -o $@ $<

# way in, its macro, bits, linker emulation, xloadflags
define probe_rules
$(BUILD)/guests/$(1)/%.o: tests/guests/%.c $(RULES)
	@mkdir -p $$(@D) && $$(call say,CC$(3),$$@)
	$$(Q)$$(CC) -m$(3) $$(PROBE_CFLAGS) -DENTRY_$(2) -MMD -MP -c -o $$@ $$<
$(BUILD)/guests/$(1)/%.o: tests/guests/%.S $(RULES)
	@mkdir -p $$(@D) && $$(call say,AS$(3),$$@)
	$$(Q)$$(CC) -m$(3) $$(PROBE_CFLAGS) -DENTRY_$(2) -MMD -MP -c -o $$@ $$<
$(BUILD)/guests/$(1)/probe.lds: tests/guests/probe.lds.S tests/guests/layout.h
	@mkdir -p $$(@D)
	$$(Q)$$(CC) -E -P -x assembler-with-cpp -DENTRY_$(2) -o $$@ $$<
$(BUILD)/guests/probe-$(1).elf: $(patsubst tests/guests/%,$(BUILD)/guests/$(1)/%.o,$(basename $(PROBE_SRC))) \
                                $(BUILD)/guests/$(1)/probe.lds
	@$$(call say,LD$(3),$$@)
	$$(Q)$$(CC) -m$(3) -static -nostdlib -no-pie -Wl,-m,$(4) \
	    -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-T,$(BUILD)/guests/$(1)/probe.lds -o $$@ \
	    $$(filter %.o,$$^)
$(BUILD)/guests/probe-$(1).bin: $(BUILD)/guests/probe-$(1).elf
	$$(Q)objcopy -O binary $$< $$@
$(BUILD)/guests/probe-$(1).bzimage: tests/guests/bzimage.S $(BUILD)/guests/probe-$(1).bin
	@$$(call say,BZ,$$@)
	$$(Q)$$(CC) $$(PROBE_CFLAGS) -DXLOADFLAGS=$(5) -DPART='"$(BUILD)/guests/probe-$(1).bin"' -c -o $$@.o $$<
	$$(Q)objcopy -O binary -j .text $$@.o $$@
endef
$(eval $(call probe_rules,pvh,PVH,32,elf_i386))
$(eval $(call probe_rules,linux32,LINUX32,32,elf_i386,0))
$(eval $(call probe_rules,linux64,LINUX64,64,elf_x86_64,1))
$(eval $(call probe_rules,vmlinux64,VMLINUX64,64,elf_x86_64))
