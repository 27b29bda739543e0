# SPDX-License-Identifier: LGPL-2.1-only
# Coverage: of what a stranger's bytes meet, by the tests that run it in their own process.

.PHONY: coverage coverage-run
coverage: check-packages
	@find $(BUILD)/cov -name '*.gcda' -delete 2>/dev/null; mkdir -p $(BUILD)
	@$(M) BUILD=$(BUILD)/cov COV=1 LZO=y coverage-run >$(BUILD)/coverage.log 2>&1 || \
	    { tail -n 25 $(BUILD)/coverage.log; exit 1; }
	@$(PYTHON) tests/coverage.py $(if $(MISSING),--missing) $(BUILD)/cov
coverage-run: all replay unit $(BUILD)/tests/confine/test_verify
	$(BUILD)/tests/confine/test_verify
	PVBOOT_BUILD=$(BUILD) PVBOOT_SANDBOX=off $(PYTEST) tests/cli -k 'not no_permission' # nobody writes no counters
