# After vm_init.sh: mounts the root file system, the checkout and the folder of the job, and hands
# over to systemd.
if $busybox mount -t ext4 /dev/vda /mnt && share checkout /mnt/checkout ro,cache=loose &&
    share exchange /mnt/exchange cache=none; then
    for name in dev proc sys; do $busybox mount --move /$name /mnt/$name; done
    exec $busybox switch_root /mnt /lib/systemd/systemd
fi
echo "RIG cannot mount the root file system"
$busybox poweroff -f
