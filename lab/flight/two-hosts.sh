#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# two-hosts.sh DIR [GLOB,...]: a flight on two ssh hosts by GNU parallel.  The hosts are network namespaces of this
# machine, each with an sshd of its own; everything else is as with two real ones that share DIR.  They have no way out,
# so the kernels have to be in the lab's cache: any earlier flight puts them there.  Needs root, openssh-server, parallel.
set -eu
dir=$(realpath -m "${1:?directory}")
select=${2:-smoke}
repo=$(realpath "$(dirname "$0")/../..")
keys=$dir/ssh
mkdir -p "$keys" /run/sshd

down() {
    for host in a b; do
        [ ! -f "$keys/$host.pid" ] || kill "$(cat "$keys/$host.pid")" 2>/dev/null || :
        ip netns del "pvlab-$host" 2>/dev/null || :
        ip link del "pvlab-$host" 2>/dev/null || :
    done
}
trap down EXIT
down

[ -f "$keys/id" ] || ssh-keygen -q -t ed25519 -N '' -f "$keys/id"
[ -f "$keys/host" ] || ssh-keygen -q -t ed25519 -N '' -f "$keys/host"
n=0
: >"$keys/known"
: >"$keys/config"
for host in a b; do
    n=$((n + 1))
    ip netns add "pvlab-$host"
    ip link add "pvlab-$host" type veth peer name eth0 netns "pvlab-$host"
    ip addr add "192.0.2.$((4 * n + 1))/30" dev "pvlab-$host"
    ip link set "pvlab-$host" up
    ip -n "pvlab-$host" addr add "192.0.2.$((4 * n + 2))/30" dev eth0
    ip -n "pvlab-$host" link set lo up
    ip -n "pvlab-$host" link set eth0 up
    ip netns exec "pvlab-$host" /usr/sbin/sshd -f /dev/null -h "$keys/host" -o PidFile="$keys/$host.pid" -o UsePAM=no \
        -o AuthorizedKeysFile="$keys/id.pub" -o StrictModes=no -o PermitRootLogin=prohibit-password
    echo "192.0.2.$((4 * n + 2)) $(cut -d' ' -f1,2 "$keys/host.pub")" >>"$keys/known"
    printf 'Host host-%s\n HostName 192.0.2.%s\n User root\n IdentityFile %s\n UserKnownHostsFile %s\n' \
        "$host" $((4 * n + 2)) "$keys/id" "$keys/known" >>"$keys/config"
done

# One batch of cells per host and boot of Xen; a batch that did not finish (exit 75) is tried again, maybe elsewhere,
# and does only what its record does not have.
cd "$repo"
python3 -m lab cells --select "$select" |
    parallel --ssh "ssh -F $keys/config" -S 1/host-a,1/host-b --wd "$repo" --env PVBOOT_BUILD --env PVBOOT_LAB_DIR \
        --joblog "$dir/joblog" --resume-failed --retries 3 --tag -N "${BATCH:-3}" \
        python3 -m lab cell {} --out "$dir/batch-{#}" || echo "parallel: exit $?"
cut -f 2,4,7,9- "$dir/joblog"
python3 -m lab report "$dir"/batch-* --out "$dir"
