# SPDX-License-Identifier: LGPL-2.1-only
# Mutants: fifty-two bugs, planted one after the other; the tests that need no Xen have to notice.

# Slow ones last; those of files, of Xen's side and of a whole guest's memory have nothing to say about bounds.
MUTANT_SLOW := $(BUILD)/tests/unit/test_codec
MUTANT_TESTS := $(BUILD)/tests/confine/test_verify \
    $(filter-out $(addprefix $(BUILD)/tests/unit/,test_file test_xen_% test_stub_start test_codec),$(UNIT))
.PHONY: mutants mutant-tests
mutants: check-packages
	@$(PYTHON) tests/mutants/run.py --must 50 $(if $(ONLY),--only $(ONLY)) $(BUILD)/mutants \
	    $(M) LZO=y BUILD=build SAN=1 SHARED=1 CFLAGS='-O1 -g' WERROR= mutant-tests
mutant-tests: $(BUILD)/libpvboot-whole.so $(REPLAYS) $(MUTANT_TESTS) $(MUTANT_SLOW) $(BUILD)/corpus/made
	@for t in $(MUTANT_TESTS); do $$t || exit 1; done
	@for t in $(FUZZ); do $(BUILD)/replay-$$t $(BUILD)/corpus/$$t || exit 1; done
	@$(MUTANT_SLOW)
$(BUILD)/corpus/made:
	@$(M) $(CORPUS) && touch $@
