# SPDX-License-Identifier: LGPL-2.1-only
# What building, testing and the lab need, as Debian 12 and 13 name it; tests/need installs it or says how.

BUILD_PACKAGES := gcc pkg-config $(foreach l,$(LIBRARIES),$(lastword $(subst :, ,$(l)))) libxen-dev python3
CHECK_PACKAGES := $(BUILD_PACKAGES) g++ clang clang-format libclang-rt-dev libcmocka-dev liblzo2-dev python3-pytest \
                  python3-jsonschema abigail-tools \
                  xz-utils bzip2 lz4 zstd lzop binutils file acpica-tools xen-utils-4.@
# Of Xen the newest that this release has.
LAB_PACKAGES := qemu-system-x86 xen-hypervisor-4.@-amd64 xen-utils-4.@ xen-utils-common xenstore-utils \
                linux-image-amd64 busybox-static cpio grub-xen-bin grub-common kmod

# To build a Linux with the patches of linux/.
LINUX_PACKAGES := gcc make flex bison bc libelf-dev patch lz4

DEB_PACKAGES := $(BUILD_PACKAGES) build-essential debhelper dpkg-dev fakeroot libcmocka-dev

.PHONY: build-packages check-packages lab-packages linux-packages deb-packages print-libraries
build-packages:
	@tests/need $(BUILD_PACKAGES)
check-packages:
	@tests/need $(CHECK_PACKAGES)
lab-packages:
	@tests/need $(LAB_PACKAGES)
linux-packages:
	@tests/need $(LINUX_PACKAGES)
deb-packages:
	@tests/need $(DEB_PACKAGES)
# For another release: what its programs are linked with.
print-libraries:
	@echo $(filter %-dev,$(BUILD_PACKAGES))
