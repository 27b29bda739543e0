# SPDX-License-Identifier: LGPL-2.1-only
# The Xen side without Xen: a fake hypervisor, and stock xl and libxenguest around it.

FAKE := $(call obj,$(addprefix tests/fake/,fault.c memory.c xen.c context.c pv.c))
# How libxenguest asks for a domain is another call since Xen 4.18: the header says which.
DOMINFO := tests/fake/dominfo$(shell printf '\043include <xenctrl.h>\nvoid *p = xc_domain_getinfo_single;\n' | \
             $(CC) -fsyntax-only -x c - 2>/dev/null || echo _417).c
OFFLINE_OBJ := $(call obj,tests/offline/build.c tests/fake/stock.c $(DOMINFO)) $(FAKE)
SWEEP_OBJ := $(call obj,$(addprefix tests/offline/,sweep.c killed.c judge.c gate.c dumped.c) \
               tests/fake/host.c tests/fake/process.c)
FAKED_OBJ := $(call obj,tests/offline/xl_faked.c $(addprefix tests/fake/,fault.c host.c process.c))
OFFLINE := $(addprefix $(BUILD)/,pvboot pvboot-parse tests/fake/pvboot-parse pvboot-xl.so pvboot-stub.elf \
             $(addprefix tests/offline/,driver driver.so late threads pair reset sweep verdicts xl-faked.so) tests/confine/lacking)
STOCK_LIBS := -lxenguest -lxenctrl -lxentoollog

# The exported fakes stand in front of libxenctrl's and libxenforeignmemory's functions of the same names.
$(BUILD)/tests/fake/%.o $(BUILD)/tests/offline/%.o: ALL_CFLAGS += -fvisibility=default $(NO_FORTIFY)
$(BUILD)/tests/offline/driver: $(BUILD)/tests/offline/driver.o $(OFFLINE_OBJ)
	@$(call say,LD,$@)
	$(Q)$(link) -rdynamic -o $@ $^ $(STOCK_LIBS)
$(BUILD)/tests/offline/driver.so: $(call obj,tests/offline/driver.c tests/offline/build.c)
	@$(call say,LD,$@)
	$(Q)$(link) -shared -o $@ $^ $(STOCK_LIBS)
$(BUILD)/tests/offline/late: $(call obj,tests/offline/late.c tests/fake/stock.c $(DOMINFO)) $(FAKE)
	@$(call say,LD,$@)
	$(Q)$(link) -rdynamic -o $@ $^
$(BUILD)/tests/offline/threads: $(BUILD)/tests/offline/threads.o
	@$(call say,LD,$@)
	$(Q)$(link) -o $@ $^
$(BUILD)/tests/offline/pair: $(BUILD)/tests/offline/pair.o $(OFFLINE_OBJ)
	@$(call say,LD,$@)
	$(Q)$(link) -rdynamic -o $@ $^ $(STOCK_LIBS)
$(BUILD)/tests/offline/reset: $(call obj,tests/offline/reset.c tests/fake/domain.c tests/fake/store.c) $(FAKE)
	@$(call say,LD,$@)
	$(Q)$(link) -rdynamic -o $@ $^ -lxenlight $(STOCK_LIBS)
$(BUILD)/tests/offline/sweep: $(SWEEP_OBJ) $(OFFLINE_OBJ)
	@$(call say,LD,$@)
	$(Q)$(link) -rdynamic -o $@ $^ $(STOCK_LIBS)
$(BUILD)/tests/offline/verdicts: $(BUILD)/tests/offline/verdicts.o $(BUILD)/libpvboot.a
	@$(call say,LD,$@)
	$(Q)$(link) -o $@ $^ $(LIBS) $(STOCK_LIBS)
$(BUILD)/tests/offline/xl-faked.so: $(FAKED_OBJ)
	@$(call say,LD,$@)
	$(Q)$(link) -shared -o $@ $^

# Beside stock, which needs more of a Xen than we do.
$(BUILD)/tests/unit/test_xen_pv: $(call obj,src/frontends/launch/pv_xen.c tests/fake/stock.c $(DOMINFO) tests/unit/mkimage.c)
$(BUILD)/tests/unit/test_xen_pv: XEN_UNIT_LIBS := -rdynamic $(STOCK_LIBS)

.PHONY: offline faults threads
ifeq ($(HAVE_XEN),y)
offline: $(OFFLINE)
	@PVBOOT_BUILD=$(BUILD) $(PYTEST) tests/offline --ignore tests/offline/test_faults.py
faults: $(OFFLINE)
	@PVBOOT_BUILD=$(BUILD) $(PYTEST) -s tests/offline/test_faults.py
threads: $(OFFLINE)
	@PVBOOT_BUILD=$(BUILD) $(PYTEST) tests/offline/test_threads.py
else
offline faults threads:
	@echo "skip: no Xen headers (libxen-dev)"; echo "1 skipped"
endif
