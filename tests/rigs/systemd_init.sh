#!/bin/busybox sh
# The first process of the virtual machine: loads the drivers, mounts the root file system, the
# checkout and the folder of the job, and hands over to systemd.
busybox=/bin/busybox
$busybox mkdir -p /proc /sys /dev
$busybox mount -t proc proc /proc
$busybox mount -t sysfs sysfs /sys
$busybox mount -t devtmpfs devtmpfs /dev
share() { $busybox mount -t 9p -o "trans=virtio,version=9p2000.L,msize=262144,$3" "$1" "$2"; }
for module in $($busybox cat /modlist); do
    options=
    [ "$module" != vivid.ko ] || options="n_devs=1 node_types=0x1"
    $busybox insmod "/modules/$module" $options || echo "RIG cannot load $module"
done
if $busybox mount -t ext4 /dev/vda /mnt && share checkout /mnt/checkout ro,cache=loose &&
    share exchange /mnt/exchange cache=none; then
    for name in dev proc sys; do $busybox mount --move /$name /mnt/$name; done
    exec $busybox switch_root /mnt /lib/systemd/systemd
fi
echo "RIG cannot mount the root file system"
$busybox poweroff -f
