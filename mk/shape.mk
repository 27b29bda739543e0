# SPDX-License-Identifier: LGPL-2.1-only
# Shape: what a compiler does not see.

# PURE may not do I/O, so nothing but memory and text functions may be undefined.
PURE := $(STARTINFO) $(addprefix src/builder/,base/memmap.c base/names.c image/bzimage.c image/entries.c load/load.c) \
        $(wildcard $(addprefix src/builder/,segment/*.c plan/*.c check/*.c pack/*.c))
SOURCES = $(shell git ls-files '*.[ch]' 2>/dev/null || find include src tests -name '*.[ch]')

.PHONY: check-pure check-headers check-format check-exports check-abi store-abi check-hardened check-licences check-reproducible
check-pure: $(call obj,$(PURE) src/builder/base/error.c) $(GUEST_CODE)
	$(LD) -r -o $(BUILD)/pure.o $^
	! nm -u $(BUILD)/pure.o | grep -vE ' (mem|str|v?snprintf|__v?snprintf_chk|__mem|__str|calloc|free|__assert_fail|__stack_chk_fail|_GLOBAL_|__ctype|(__)?explicit_bzero|pvb_codec_find|pvb_hash_)'
# Each header alone, as strangers compile it. Xen's own are GNU C. Without -Wshadow in C++, where struct pvboot_load and the
# function pvboot_load() are no clash but one more name.
HEADER_WARN = $(WARN) -Werror -Wpedantic -Wno-unused-function
check-headers:
	for h in include/pvboot/*.h; do dialect=; \
	    case $$h in */xen.h) [ "$(HAVE_XEN)" = y ] || continue; dialect=gnu;; esac; \
	    for cc in gcc clang; do for std in $${dialect:-c}99 $${dialect:-c}11 $${dialect:-c}17 $${dialect:-c}2x gnu11; do \
	        $$cc -std=$$std -Iinclude $(HEADER_WARN) -x c -fsyntax-only $$h || { echo "$$cc -std=$$std $$h"; exit 1; }; \
	    done; done; \
	    for cc in g++ clang++; do for std in $${dialect:-c}++11 $${dialect:-c}++17 $${dialect:-c}++20; do \
	        $$cc -std=$$std -Iinclude $(HEADER_WARN) -Wno-shadow -x c++ -fsyntax-only $$h || { echo "$$cc -std=$$std $$h"; exit 1; }; \
	    done; done; \
	done
	for std in c99 gnu11; do $(CC) -std=$$std -m32 -ffreestanding -nostdinc -isystem $(shell $(CC) -print-file-name=include) \
	    -Iinclude $(HEADER_WARN) -x c -fsyntax-only include/pvboot/handover.h || exit 1; done
check-format:
	clang-format --dry-run -Werror $(SOURCES)
check-exports: $(filter %.so,$(PROGRAMS))
	nm -D --defined-only $(BUILD)/libpvboot.so | grep -q ' T pvboot_build@@PVBOOT_0.1$$'
	! nm -D --defined-only $(BUILD)/libpvboot.so | grep -vE ' (pvboot_[a-z0-9_]+|PVBOOT_0\.1)(@@PVBOOT_0\.1)?$$'
	$(foreach l,$(LIBRARY_NAMES),tests/check-symbols debian/lib$(l)0.symbols $(BUILD)/lib$(l).so &&) :
	! nm -D --defined-only $(BUILD)/pvboot-xl.so | grep -vE ' (xlu_cfg_(init|readdata|get_string|destroy)|xc_dom_(kernel_file|module_file|release)|libxl_domain_soft_reset)$$'
check-abi store-abi: $(LIBRARY_NAMES:%=$(BUILD)/lib%.so)
	tests/check-abi $(if $(filter store-abi,$@),--store) $^
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
