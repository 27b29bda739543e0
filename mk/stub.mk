# SPDX-License-Identifier: LGPL-2.1-only
# The in-guest stub: 32-bit, without libc; gcc -m32 needs no multilib packages for that. The caller's flags, which are
# for programs of this machine, do not reach it.

STUB := $(wildcard src/stub/*.c src/stub/libc/*.c) $(filter-out %/pv_start_info.c %/pv_tables.c,$(STARTINFO)) \
        $(addprefix src/builder/,base/error.c base/memmap.c base/names.c image/bzimage.c segment/content.c) \
        $(filter-out %/distance.c %/inputs.c %/machine.c %/make.c %/obstacle.c %/pv.c,$(wildcard src/builder/plan/*.c))

STUB_OBJ := $(patsubst %,$(BUILD)/stub/%.o,$(basename $(STUB) src/stub/head.S))
PROGRAMS += $(if $(filter y,$(HAVE_XEN)),$(BUILD)/pvboot-stub.elf)

# The compiler's own headers, and of the C library's those of the kernel and of Xen.
# Linux's own lie where this compiler finds them: no two agree on how else to ask.
LINUX_HEADERS := $(shell printf '\043include <asm/bootparam.h>\n' | $(CC) -M -x c - 2>/dev/null | \
                   tr ' ' '\n' | sed -n 's|/asm/bootparam\.h$$||p')
FREESTANDING_HEADERS := -nostdinc -isystem $(shell $(CC) -print-file-name=include 2>/dev/null) -Iinclude \
                        $(addprefix -idirafter ,$(LINUX_HEADERS)) -idirafter $(SYSROOT)/usr/include
FREESTANDING = -ffreestanding -fno-pic -fno-pie -fno-stack-protector -fcf-protection=none \
               -fno-asynchronous-unwind-tables -fno-delete-null-pointer-checks $(WARN) $(PREFIX_MAP) \
               $(FREESTANDING_HEADERS)
# The stub is to stay under 32 KiB: gcc from 12 on is persuaded, clang's -Os is small enough.
STUB_SMALL := -Oz -malign-data=abi -mpreferred-stack-boundary=2 -fno-tree-sra -fno-tree-dominator-opts
STUB_OPT := $(shell $(CC) -m32 $(STUB_SMALL) -S -o /dev/null -x c /dev/null 2>/dev/null && echo $(STUB_SMALL) || echo -Os)
STUB_CFLAGS = -m32 -march=i686 -mtune=i386 -mgeneral-regs-only -mregparm=3 -std=gnu11 $(STUB_OPT) -g $(FREESTANDING) \
              -ffunction-sections -fdata-sections -Isrc/stub/libc -DPVBOOT_VERSION='"$(VERSION)"'

$(BUILD)/stub/%.o: %.c $(RULES) | $(BUILD)/libraries
	@mkdir -p $(@D) && $(call say,CC32,$@)
	$(Q)$(CC) $(STUB_CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/stub/%.o: %.S $(RULES) | $(BUILD)/libraries
	@mkdir -p $(@D) && $(call say,AS32,$@)
	$(Q)$(CC) $(STUB_CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/pvboot-stub.elf: $(STUB_OBJ) src/stub/stub.lds
	@$(call say,LD32,$@)
	$(Q)$(CC) -m32 -static -nostdlib -no-pie -Wl,-m,elf_i386 -Wl,--build-id=none -Wl,--gc-sections \
	    -Wl,-z,max-page-size=4096 -Wl,-T,src/stub/stub.lds -o $@.debug $(STUB_OBJ)
	$(Q)objcopy --strip-all $@.debug $@
