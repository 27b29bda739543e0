#!/bin/busybox sh
# SPDX-License-Identifier: LGPL-2.1-only
# init of the lab's guests: prints what the kernel was told at boot, between markers, then stays (pvlab.mode=evidence,
# the default), ends (poweroff), prints nothing and stays (idle), or goes on with what another archive has in /modes.

/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
dmesg -n 1 # nothing may come between the markers

mode=evidence
out=/dev/console
marks=
for word in $(cat /proc/cmdline); do
    case $word in
        pvlab.mode=*) mode=${word#*=} ;;
        pvlab.out=e9) out=e9 ;; # for kernels without Xen drivers: the hypervisor's debug port
        pvlab.marks=e9) marks=e9 ;; # how far it has come, there too: Xen stamps each line with its own time
    esac
done
mark() { [ -z "$marks" ] || echo "@@pvboot-mark $1@@" | e9; }
mark init
sections=0

begin() { echo "@@pvboot-begin $1@@"; }
end() {
    echo
    echo "@@pvboot-end $1@@"
    sections=$((sections + 1))
}
section() { # NAME COMMAND...
    section=$1
    shift
    begin "$section"
    "$@" 2>&1
    end "$section"
}
binary() { # NAME FILE
    [ -r "$2" ] || return
    begin "$1 base64"
    base64 "$2"
    end "$1"
}
tree() { # DIRECTORY: one line per attribute; a program for each would take a minute where there are a thousand
    [ -d "$1" ] || return
    find "$1" -type f | sort | while read -r file; do
        value=
        { read -r value < "$file"; } 2>/dev/null
        echo "${file#"$1"/} $value"
    done
}

evidence() {
    section uptime cat /proc/uptime
    section uname uname -a
    section cmdline cat /proc/cmdline
    section hypervisor tree /sys/hypervisor
    section nproc nproc
    section bootloader_type cat /proc/sys/kernel/bootloader_type
    section boot_params_version cat /sys/kernel/boot_params/version
    binary boot_params /sys/kernel/boot_params/data
    for node in /sys/kernel/boot_params/setup_data/*; do
        [ -d "$node" ] || continue
        binary "setup_data.${node##*/}.type" "$node/type"
        binary "setup_data.${node##*/}.data" "$node/data"
    done
    section setup_data_modes sh -c 'stat -c %a /sys/kernel/boot_params/setup_data/*/data 2>/dev/null'
    section memmap tree /sys/firmware/memmap
    section iomem cat /proc/iomem
    section meminfo cat /proc/meminfo
    section acpi ls -l /sys/firmware/acpi/tables
    section acpi_sums sh -c 'cd /sys/firmware/acpi/tables && find . -type f | sort | xargs sha256sum'
    section cpuinfo cat /proc/cpuinfo
    section clocksource cat /sys/devices/system/clocksource/clocksource0/current_clocksource
    section more tree /more # what further archives have brought
    for file in /evidence.d/*; do
        [ ! -r "$file" ] || . "$file" # and what they want to know
    done
    section dmesg dmesg
    echo "@@pvboot-done $sections@@"
}

[ "$mode" = idle ] || evidence > /evidence
if [ $out = e9 ]; then
    e9 < /evidence
else
    cat /evidence > $out
fi
mark done
[ ! -r "/modes/$mode" ] || . "/modes/$mode"
[ "$mode" = poweroff ] && poweroff -f
while :; do sleep 3600; done
