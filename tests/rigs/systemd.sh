#!/bin/bash
# systemd.sh [FOLDER]: a virtual machine that systemd boots, with a camera (the vivid driver).
# FOLDER (default .cache/rigs) gets systemd/: kernel, initrd.gz, and root.img, Debian 13 with all
# that a device has but the project itself. It is never written: each start gets a copy of its own.
. "$(dirname "$0")/common.sh"
. "$RIGS_HERE/vm.sh"
vm_begin "${1:-}" systemd "virtio_pci virtio_blk ext4 9pnet_virtio 9p autofs4 vivid" e2fsprogs
VENV=opt/corrosion-edge

# Packages are configured here, unlike in the other rigs: users, groups and units have to be there.
rm -rf "$RIG/root"
mmdebstrap --quiet --variant=essential --architectures=amd64 \
    --include=systemd,systemd-sysv,udev,dbus,passwd,procps,kmod,python3,python3-venv,python3-numpy \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    trixie "$RIG/root" "$(debian_mirror)" >&2
mkdir -p "$RIG/root"/{checkout,exchange,var/log/journal}
chroot "$RIG/root" /usr/bin/python3 -m venv --system-site-packages "/$VENV"
"$(rigs_python)" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
    --only-binary=:all: --cache-dir "$RIGS/downloads/pip" --python-version 3.13 --implementation cp \
    --platform manylinux_2_34_x86_64 --platform manylinux_2_28_x86_64 \
    --platform manylinux_2_27_x86_64 --platform manylinux_2_17_x86_64 \
    --platform manylinux2014_x86_64 --target "$RIG/root/$VENV/new" 'ai-edge-litert>=2.0' \
    'pillow>=10.4' 'click>=8.2' 'jinja2>=3.1' markupsafe 'av>=14.1' 'cryptography>=44' cffi \
    pycparser flatbuffers ml_dtypes protobuf tqdm typing_extensions backports.strenum \
    >"$RIGS/downloads/pip.log" 2>&1 || fail "no wheels; see $RIGS/downloads/pip.log"
mv "$RIG/root/$VENV/new"/* "$RIG/root/$VENV"/lib/python3.13/site-packages/
rmdir "$RIG/root/$VENV/new"

# what the machine does once it is up is the test's; without a login, and with nothing to wait for
cat >"$RIG/root/etc/systemd/system/job.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
ExecStart=/bin/bash /exchange/job.sh
StandardOutput=append:/exchange/log
StandardError=inherit
Environment=HOME=/root
[Install]
WantedBy=default.target
UNIT
for unit in getty@tty1 serial-getty@ttyS0 systemd-timesyncd systemd-firstboot systemd-binfmt; do
    ln -sf /dev/null "$RIG/root/etc/systemd/system/$unit.service"
done
mkdir -p "$RIG/root/etc/systemd/system/default.target.wants"
ln -sf ../job.service "$RIG/root/etc/systemd/system/default.target.wants/job.service"
ln -sf /lib/systemd/system/multi-user.target "$RIG/root/etc/systemd/system/default.target"
echo corrosion >"$RIG/root/etc/hostname"

rm -f "$RIG/root.img"
mke2fs -q -t ext4 -d "$RIG/root" "$RIG/root.img" 1200M
rm -rf "$RIG/root"
echo "$STAMP" >"$RIG/.stamp"
