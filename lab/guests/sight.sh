# SPDX-License-Identifier: LGPL-2.1-only
# More of what a guest can see, for init.sh's evidence(): processors, buses, interrupts.

section cpuid /bin/cpuid
section cpus tree /sys/devices/system/cpu
section buses sh -c 'ls -d /sys/bus/*/devices/* /sys/class/*/* /sys/firmware/* /sys/kernel/boot_params/setup_data/* 2> /dev/null'
section interrupts sed 's/^ *\([^:]*\):[ 0-9]*/\1: /' /proc/interrupts
