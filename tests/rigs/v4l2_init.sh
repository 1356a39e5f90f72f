# After vm_init.sh: mounts the root file system, the checkout and the folder of the job, runs the job,
# and turns the machine off.
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
