# SPDX-License-Identifier: LGPL-2.1-only
# bash completion for pvboot: verbs, options, entries, kernels in /boot.  The options are those of `pvboot --help`.
_pvboot() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]-}
    local request="--sandbox --kernel-max --unpacked-max"
    local guest="--json --config --entry --memory --vcpus --ramdisk --cmdline --subarch --force-subarch --hypervisor
        --digests --strict --rng-seed --ramdisk-max $request"
    local options=
    COMPREPLY=()
    case $before in
        --entry) COMPREPLY=($(compgen -W "auto pvh linux32 linux64 vmlinux64 stub pv" -- "$word")); return ;;
        --sandbox) COMPREPLY=($(compgen -W "strict best off" -- "$word")); return ;;
        --subarch) COMPREPLY=($(compgen -W "pc xen" -- "$word")); return ;;
        --hypervisor) COMPREPLY=($(compgen -W "xen none" -- "$word")); return ;;
        --rng-seed) COMPREPLY=($(compgen -W "no yes" -- "$word")); return ;;
        --memory | --vcpus | --max | --cmdline | --base | --type | --kernel-max | --unpacked-max | --ramdisk-max) return ;;
        --cache) COMPREPLY=($(compgen -d -- "$word")); return ;;
        --config | -f) COMPREPLY=($(compgen -f -X '!*.cfg' -- "$word") $(compgen -d -- "$word")); return ;;
        -o | --ramdisk | --stub | --zero-page | --start-info | --setup-data) COMPREPLY=($(compgen -f -- "$word")); return ;;
    esac
    if [ "$COMP_CWORD" = 1 ]; then
        COMPREPLY=($(compgen -W "inspect plan dump decode pack check diff cache launch list destroy help --version --help" -- "$word"))
        return
    fi
    case $verb in
        inspect) options="--json --latest $request" ;;
        plan) options="--latest $guest" ;;
        dump) options="-o --latest $guest" ;;
        decode) options="--json --check --base --zero-page --start-info --setup-data --type --running" ;;
        pack) options="-o --ramdisk --cmdline --stub --entry --subarch --force-subarch --hypervisor --strict --ramdisk-max
            $request" ;;
        check | diff | list) options="--json" ;;
        cache)
            if [ "$COMP_CWORD" = 2 ] && [ "${word#-}" = "$word" ]; then
                COMPREPLY=($(compgen -W "add list verify drop" -- "$word"))
                return
            fi
            options="--json --cache --max --all --kernel-max --unpacked-max" ;;
        help) COMPREPLY=($(compgen -W "inspect plan dump decode pack check diff cache launch list destroy" -- "$word")); return ;;
    esac
    case $word in
        -*) COMPREPLY=($(compgen -W "$options" -- "$word")); return ;;
    esac
    case $verb in
        inspect | plan | dump | pack | cache | launch)
            COMPREPLY=($(compgen -f -- "$word"))
            [ "$word" ] || COMPREPLY=($(compgen -G '/boot/vmlinuz-*')) ;;
        check) COMPREPLY=($(compgen -f -X '!*.cfg' -- "$word") $(compgen -d -- "$word")) ;;
        diff) COMPREPLY=($(compgen -f -- "$word")) ;;
    esac
}
complete -o filenames -F _pvboot pvboot
