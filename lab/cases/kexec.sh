# SPDX-License-Identifier: LGPL-2.1-only
# Mode kexec of init.sh, sourced by it once the evidence is out: starts /kexec/vmlinuz in place of the running
# kernel, by kexec_load(2) (pvlab.kexec=load) or kexec_file_load(2) (pvlab.kexec=file).  The second kernel prints the
# same evidence, through the hypervisor's debug port: whether its console works is one of the questions.

say() { echo "@@pvboot-kexec $*@@" | e9; }

call=
for word in $(cat /proc/cmdline); do
    case $word in
        pvlab.kexec=load) call=--kexec-syscall ;;
        pvlab.kexec=file) call=--kexec-file-syscall ;;
    esac
done
words=$(sed 's/pvlab\.mode=[^ ]*/pvlab.mode=evidence/; s/pvlab\.kexec=/pvlab.kexeced=/' /proc/cmdline)
kexec $call --load /kexec/vmlinuz --initrd=/kexec/initrd --command-line="$words pvlab.out=e9" 2>&1 | e9
say "loaded $(cat /sys/kernel/kexec_loaded)"
kexec --exec 2>&1 | e9
say "returned"
