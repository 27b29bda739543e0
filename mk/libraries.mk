# SPDX-License-Identifier: LGPL-2.1-only
# The libraries that the programs need; what is missing is named once, before anything is compiled.

CODEC_PKGS := zlib libdeflate liblzma liblz4 libzstd
PKGS := libelf jansson $(CODEC_PKGS)
# What pkg-config does not know everywhere: for pvboot.pc either by its name there or as it is linked.
GCRYPT_PKG := $(shell $(PKG_CONFIG) --exists libgcrypt 2>/dev/null && echo libgcrypt)
GCRYPT_STATIC := $(if $(GCRYPT_PKG),,-lgcrypt -lgpg-error)
LZO_LIB := $(if $(filter y,$(LZO)),-llzo2)
LIB_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) libseccomp 2>/dev/null)
LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -lbz2 -lgcrypt $(LZO_LIB)

# name:header:pkg-config's name, if it has one:Debian's package
LIBRARIES := \
    libc:stdio.h::libc6-dev \
    libelf:libelf.h:libelf:libelf-dev \
    libjansson:jansson.h:jansson:libjansson-dev \
    libgcrypt:gcrypt.h::libgcrypt20-dev \
    libz:zlib.h:zlib:zlib1g-dev \
    libdeflate:libdeflate.h:libdeflate:libdeflate-dev \
    libbz2:bzlib.h::libbz2-dev \
    liblzma:lzma.h:liblzma:liblzma-dev \
    liblz4:lz4.h:liblz4:liblz4-dev \
    libzstd:zstd.h:libzstd:libzstd-dev \
    libseccomp:seccomp.h:libseccomp:libseccomp-dev \
    $(if $(LZO_LIB),liblzo2:lzo/lzo1x.h::liblzo2-dev)

$(BUILD)/libraries: mk/libraries.mk mk/have
	@mkdir -p $(@D)
	@CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' FLAGS='$(LIB_CFLAGS) $(CPPFLAGS)' mk/have $(LIBRARIES)
	@touch $@
