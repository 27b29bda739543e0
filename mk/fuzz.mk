# SPDX-License-Identifier: LGPL-2.1-only
# Fuzzing: each target twice, with libFuzzer and with a main() that shows it files.

# The corpus is committed; what comes from the tools of a kernel build, and from kernels in /boot, is made here.
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
ifneq ($(HAVE_XEN),y)
FUZZ := $(filter-out elf image memmap verify words,$(FUZZ))
endif
FUZZERS := $(addprefix $(BUILD)/fuzz-,$(FUZZ))
REPLAYS := $(addprefix $(BUILD)/replay-,$(FUZZ))
FUZZ_LIBS := $(LIBS) $(if $(filter y,$(HAVE_XEN)),-lxlutil)
FUZZ_XL := $(if $(filter y,$(HAVE_XEN)),$(call obj,src/config/shim.c))

$(FUZZERS): $(BUILD)/fuzz-%: $(call obj,tests/fuzz/fuzz_%.c tests/fuzz/fuzz.c) $(FUZZ_XL) $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(link) -fsanitize=fuzzer -o $@ $^ $(FUZZ_LIBS)
$(REPLAYS): $(BUILD)/replay-%: $(call obj,tests/fuzz/fuzz_%.c tests/fuzz/fuzz.c tests/fuzz/replay.c) $(FUZZ_XL) \
                               $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(link) -o $@ $^ $(FUZZ_LIBS)

FUZZ_SECONDS ?= 60
TARGET ?= $(FUZZ)
CORPUS := $(addprefix $(BUILD)/corpus/,$(FUZZ))
.PHONY: fuzz fuzzers replay $(CORPUS)
fuzz: check-packages
	@$(M) BUILD=$(BUILD)/fuzz CC=clang SAN=1 FUZZER=1 LZO=y CFLAGS='-O1 -g' fuzzers
	@$(PYTHON) tests/fuzz/run.py --seconds $(FUZZ_SECONDS) $(BUILD)/fuzz $(BUILD)/fuzz/found $(TARGET)
fuzzers: $(FUZZERS) $(CORPUS)
$(BUILD)/corpus/verify: $(BUILD)/tests/confine/test_verify
$(CORPUS): $(BUILD)/corpus/%:
	@rm -rf $@ && $(PYTHON) tests/fuzz/seeds.py $* $@ && $(PYTHON) tests/fuzz/corpus.py unpack $* $@
	@$(if $(filter verify,$*),$(BUILD)/tests/confine/test_verify --seeds $@)
replay: $(REPLAYS) $(CORPUS)
	@rc=0; for t in $(FUZZ); do $(BUILD)/replay-$$t $(BUILD)/corpus/$$t || rc=1; done; exit $$rc
