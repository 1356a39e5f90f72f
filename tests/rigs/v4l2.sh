#!/bin/bash
# v4l2.sh [FOLDER]: a small virtual machine whose kernel has a camera (the vivid driver).
# FOLDER (default .cache/rigs) gets v4l2/: kernel, initrd.gz, and root (Debian 13 with Python 3.13
# and the packages that a device installs). The machine runs under software emulation, without KVM.
. "$(dirname "$0")/common.sh"
RIGS=$(rigs_folder "${1:-}")
RIG=$RIGS/v4l2
STAMP=$(stamp_of "$0" "$RIGS_HERE/common.sh" "$RIGS_HERE/v4l2_init.sh")
MODULES="virtio_pci 9pnet_virtio 9p vivid"

# kernel_modules KERNEL_FOLDER TARGET: the modules, unpacked, and modlist with their order
kernel_modules() {
    local kernel=$1 target=$2 version module file name
    version=$(ls "$kernel/usr/lib/modules")
    depmod -b "$kernel/usr" "$version"
    for module in $MODULES; do
        modprobe -d "$kernel/usr" -S "$version" --show-depends "$module" |
            awk '/^insmod/ {print $2}' | while read -r file; do
            name=$(basename "${file%.xz}")
            [ ! -e "$target/modules/$name" ] || continue
            case $file in
            *.xz) xz -dc "$file" >"$target/modules/$name" ;;
            *) cp "$file" "$target/modules/$name" ;;
            esac
            echo "$name" >>"$target/modlist"
        done
    done
}

# initrd KERNEL_FOLDER OUT: busybox, the modules, and our init
initrd() {
    local content
    content=$(mktemp -d)
    mkdir -p "$content"/{bin,mnt,modules}
    cp /bin/busybox "$content/bin/busybox"
    kernel_modules "$1" "$content"
    install -m 755 "$RIGS_HERE/v4l2_init.sh" "$content/init"
    (cd "$content" && find . | cpio -o -H newc --quiet | gzip -1) >"$2"
    rm -rf "$content"
}

# the programs are the machine's, not the folder's: another machine may share the folder
apt_install mmdebstrap debian-archive-keyring qemu-system-x86 seabios busybox-static kmod cpio xz-utils
if built "$RIG" "$STAMP"; then exit 0; fi
[ "$(dpkg --print-architecture)" = amd64 ] || fail "this rig is for amd64 machines"
mkdir -p "$RIG"
rm -f "$RIG/.stamp"

# The kernels for clouds have no vivid; linux-image-amd64 depends on the one with all modules.
bootstrap trixie amd64 linux-image-amd64 "$RIG/kernel-files" --dpkgopt='path-exclude=/usr/share/*'
cp "$RIG"/kernel-files/boot/vmlinuz-* "$RIG/kernel"
initrd "$RIG/kernel-files" "$RIG/initrd.gz"
rm -rf "$RIG/kernel-files"

bootstrap trixie amd64 base-files,bash,coreutils,python3,python3-minimal,libstdc++6,zlib1g,v4l-utils \
    "$RIG/root"
mkdir -p "$RIG/root"/{dev,proc,sys,run,tmp,checkout,exchange}
rm -rf "$RIG/site"
"$(rigs_python)" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
    --only-binary=:all: --cache-dir "$RIGS/downloads/pip" --python-version 3.13 --implementation cp \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 \
    --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 --target "$RIG/root/site" \
    'ai-edge-litert>=2.0' 'numpy>=1.26' 'pillow>=10.4' 'click>=8.2' 'jinja2>=3.1' markupsafe \
    'av>=14' flatbuffers ml_dtypes protobuf tqdm typing_extensions backports.strenum \
    >"$RIGS/downloads/pip.log" 2>&1 || fail "no wheels; see $RIGS/downloads/pip.log"
echo "$STAMP" >"$RIG/.stamp"
