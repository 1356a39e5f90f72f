#!/bin/busybox sh
# The first process of a virtual machine begins so, whichever rig it is: it loads the drivers. What
# follows is the rig's own; see vm_initrd.
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
