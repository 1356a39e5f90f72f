#!/bin/busybox sh
# The first process of the virtual machine: loads the camera's driver, mounts the root file
# system, the checkout and the folder of the job, runs the job, and turns the machine off.
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
if share root /mnt cache=loose && share checkout /mnt/checkout ro,cache=loose &&
    share exchange /mnt/exchange cache=none; then
    $busybox mount --move /dev /mnt/dev
    $busybox mount -t proc proc /mnt/proc
    $busybox mount -t sysfs sysfs /mnt/sys
    $busybox mount -t tmpfs tmpfs /mnt/tmp
    $busybox chroot /mnt /bin/bash /exchange/job.sh >/mnt/exchange/log 2>&1
    echo $? >/mnt/exchange/exit-code
fi
$busybox sync
$busybox poweroff -f
