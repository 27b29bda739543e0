#!/bin/busybox sh
# SPDX-License-Identifier: LGPL-2.1-only
# init of the lab's dom0: starts the Xen services, then runs every script that appears in the share.

/bin/busybox --install -s /bin
export PATH=/usr/lib/pvboot/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
mkdir -p /proc /sys /dev /run /var /tmp /root /share /var/lib/xen /var/log/xen/console
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts pts /dev/pts # without it xenconsoled gives guests no console and xl kills them
mount -t tmpfs run /run
ln -sfn /run /var/run
mkdir -p /run/xen /run/xenstored /run/lock /var/lib/xenstored
ln -sfn /run/lock /var/lock

for module in $(cat /modules/order); do
    insmod "/modules/$module" || echo "lab: insmod $module failed"
done
mount -t xenfs xen /proc/xen
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=none lab /share || echo "lab: no share"

hostname dom0
ip link set lo up 2>/dev/null
grep -qw pvlab.xenstored=none /proc/cmdline && alone=yes # no xenstored: all that asks for one would wait for ever
if [ -z "$alone" ]; then
    xenstored --pid-file /run/xenstored.pid || echo "lab: xenstored failed"
    tries=0
    until [ -s /run/xenstored.pid ] && xenstore-exists / 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -gt 100 ] && break
        sleep 0.1
    done
    /usr/lib/xen-*/bin/xen-init-dom0 || echo "lab: xen-init-dom0 failed"
    xenconsoled --log=guest --log-dir=/var/log/xen/console --pid-file=/run/xenconsoled.pid || echo "lab: xenconsoled failed"
fi

# One script per request, side by side; stdout and stderr grow in the share while it runs, the exit status comes last.
job() {
    echo 0 > "/run/job-$1"
    setsid sh -c "echo \$\$ > /run/job-$1; cd /root; exec sh /share/in/$1.run" \
        < /dev/null > "/share/out/$1.out" 2> "/share/out/$1.err"
    echo $? > "/share/out/$1.rc.new"
    rm -f "/run/job-$1" "/share/in/$1.run"
    mv "/share/out/$1.rc.new" "/share/out/$1.rc"
}

${alone:+echo without} xl info > /share/out/ready.new 2>&1
cat /proc/uptime >> /share/out/ready.new
mv /share/out/ready.new /share/out/ready
# A line on the second serial port says that there is something to do; looking by itself costs an idle machine too much.
stty -F /dev/ttyS1 raw -echo
exec 3< /dev/ttyS1
while :; do
    for request in /share/in/*.sh; do
        [ -e "$request" ] || continue
        id=${request##*/}
        id=${id%.sh}
        mv "$request" "/share/in/$id.run" && job "$id" &
    done
    for request in /share/in/*.kill; do
        [ -e "$request" ] || continue
        id=${request##*/}
        id=${id%.kill}
        rm -f "$request"
        [ -s "/run/job-$id" ] && kill -9 "-$(cat "/run/job-$id")"
    done
    read -r -t 5 _ <&3
done
