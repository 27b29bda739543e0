# SPDX-License-Identifier: LGPL-2.1-only
# Mode kexec of init.sh, sourced by it once the evidence is out: starts /kexec/vmlinuz in place of the running kernel.
#   pvlab.kexec=load|file    by kexec_load(2) or kexec_file_load(2)
#   pvlab.crash              after a panic, not by reboot: kdump
#   pvlab.kexecs=N           so many times, one kernel after the other
# The last kernel runs mode kexeced, further down.  What all of them say goes through the hypervisor's debug port.

say() { echo "@@pvboot-kexec $*@@" | e9; }

kexec_load() {
    call= load=--load left=1 crash=
    for word in $(cat /proc/cmdline); do
        case $word in
            pvlab.kexec=load) call=--kexec-syscall ;;
            pvlab.kexec=file) call=--kexec-file-syscall ;;
            pvlab.crash) load=--load-panic crash=y ;;
            pvlab.kexecs=*) left=${word#*=} ;;
        esac
    done
    # A node of the guest's own, which the next kernel must not find: XS_WRITE of data/junk (xs_wire.h), and its answer,
    # which is again an XS_WRITE if all is well, and an XS_ERROR, 16, if not.
    exec 3<> /dev/xen/xenbus
    printf '\013\000\000\000\000\000\000\000\000\000\000\000\013\000\000\000data/junk\000x' >&3
    say "junk $(dd bs=19 count=1 <&3 2> /dev/null | hexdump -n 1 -ve '1/1 "%u"' | grep -c '^11$')"
    exec 3<&-
    next=kexeced
    [ "$left" -le 1 ] || next=kexec
    words=$(sed "s/pvlab\.mode=[^ ]*/pvlab.mode=$next/; s/pvlab\.kexecs=[^ ]*/pvlab.kexecs=$((left - 1))/
                 s/crashkernel=[^ ]*//; s/pvlab\.crash/reset_devices/" /proc/cmdline)
    # a page that Linux's own PVH entry has filled names no RSDP, so that the next kernel has to be told
    case $(hexdump -s 112 -n 8 -ve '1/1 "%02x"' /sys/kernel/boot_params/data) in
        0000000000000000) words="$words $(dmesg | sed -n 's/.*ACPI: RSDP 0x\([0-9A-Fa-f]*\).*/acpi_rsdp=0x\1/p')" ;;
    esac
    # the archive that this kernel was given: all of it is still there, and what the guest has written is small
    (cd / && find . -xdev ! -path ./kexec/initrd ! -path ./evidence | cpio -o -H newc > /kexec/initrd) 2> /dev/null
    kexec $call $load /kexec/vmlinuz --initrd=/kexec/initrd --command-line="$words" 2>&1 | e9
    say "loaded $(cat /sys/kernel/kexec_loaded) $(cat /sys/kernel/kexec_crash_loaded), $left left"
    if [ -n "$crash" ]; then
        echo c > /proc/sysrq-trigger
    else
        kexec --exec 2>&1 | e9
    fi
    say "returned"
}

# What works in the kernel that was started so: its console has shown the evidence; time; xenstore (the UUID is read from
# it); the memory of the kernel that died.
kexeced() {
    sleep 1
    say "slept"
    say "uuid $(cat /sys/hypervisor/uuid)"
    if [ -r /proc/vmcore ]; then
        say "vmcore $(stat -c %s /proc/vmcore) $(head -c 18 /proc/vmcore | hexdump -ve '1/1 "%02x"')"
        vmcore-dmesg /proc/vmcore > /dmesg
        say "dmesg $(wc -l < /dmesg) $(grep -o 'Kernel panic - not syncing: .*' /dmesg)"
    fi
    say "done"
}

case $mode in
    kexec) kexec_load ;;
    kexeced) kexeced ;;
esac
