# SPDX-License-Identifier: LGPL-2.1-only
# Debian's packages of this tree, for this machine's release: built from a copy, since debhelper writes into the sources.

DEBS := $(BUILD)/debs

.PHONY: debs
debs: deb-packages
	rm -rf $(DEBS) && mkdir -p $(DEBS)/pvboot
	tar -c --exclude=./.git --exclude=./build --exclude='./$(patsubst ./%,%,$(BUILD))' . | tar -x -C $(DEBS)/pvboot
	cd $(DEBS)/pvboot && env -u MAKEFLAGS -u MAKELEVEL DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -b -uc -us >../log 2>&1 || \
	    { tail -n 30 ../log; exit 1; }
	rm -rf $(DEBS)/pvboot
	ls $(DEBS)/*.deb
