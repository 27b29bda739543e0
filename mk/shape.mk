# SPDX-License-Identifier: LGPL-2.1-only
# Shape: what a compiler does not see.

# PURE may not do I/O, so nothing but memory and text functions may be undefined.
PURE := $(STARTINFO) $(addprefix src/builder/,base/memmap.c base/names.c image/bzimage.c image/entries.c load/load.c) \
        $(wildcard $(addprefix src/builder/,segment/*.c plan/*.c check/*.c))
SOURCES = $(shell git ls-files '*.[ch]' 2>/dev/null || find include src tests -name '*.[ch]')

.PHONY: check-pure check-headers check-format check-exports check-hardened check-licences check-reproducible
check-pure: $(call obj,$(PURE) src/builder/base/error.c)
	$(LD) -r -o $(BUILD)/pure.o $^
	! nm -u $(BUILD)/pure.o | grep -vE ' (mem|str|v?snprintf|__v?snprintf_chk|__mem|__str|calloc|free|__assert_fail|__stack_chk_fail|_GLOBAL_|__ctype|(__)?explicit_bzero|pvb_codec_find|pvb_hash_)'
check-headers:
	for h in include/pvboot/*.h; do for cc in gcc clang; do \
	    case $$h in */xen.h) [ "$(HAVE_XEN)" = y ] || continue;; esac; \
	    echo "$$cc $$h"; $$cc -std=gnu11 -Iinclude $(WARN) -Werror -Wno-unused-function -x c -fsyntax-only $$h || exit 1; \
	done; done
	$(CC) -std=gnu11 -m32 -ffreestanding -nostdinc -isystem $(shell $(CC) -print-file-name=include) -Iinclude \
	    $(WARN) -Werror -Wno-unused-function -x c -fsyntax-only include/pvboot/handover.h
check-format:
	clang-format --dry-run -Werror $(SOURCES)
check-exports: $(filter %.so,$(PROGRAMS))
	nm -D --defined-only $(BUILD)/libpvboot.so | grep -q ' T pvboot_build@@PVBOOT_0.1$$'
	! nm -D --defined-only $(BUILD)/libpvboot.so | grep -vE ' (pvboot_[a-z0-9_]+|PVBOOT_0\.1)(@@PVBOOT_0\.1)?$$'
	! nm -D --defined-only $(BUILD)/pvboot-xl.so | grep -vE ' (xlu_cfg_(init|readdata|get_string|destroy)|xc_dom_(kernel_file|module_file|release))$$'
# Of the host's programs and libraries, and of the objects that they are made of.
HARDENED := $(filter-out %.elf,$(PROGRAMS))
HARDENED_OBJ := $(CORE_OBJ) $(PARSE_OBJ) $(call obj,$(CLI)) \
                $(if $(filter y,$(HAVE_XEN)),$(XL_OBJ) $(LAUNCH_OBJ) $(call obj,$(CAPTURE)))
check-hardened: $(PROGRAMS)
	tests/check-hardened $(HARDENED) -- $(if $(CET),$(HARDENED_OBJ))
check-licences:
	tests/check-licences
# Half a minute of two cores: whole builds, optimised as what is installed.
check-reproducible:
	tests/check-reproducible $(BUILD)/reproducible $(M)
