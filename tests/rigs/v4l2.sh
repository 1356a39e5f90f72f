#!/bin/bash
# v4l2.sh [FOLDER]: a small virtual machine whose kernel has a camera (the vivid driver).
# FOLDER (default .cache/rigs) gets v4l2/: kernel, initrd.gz, and root (Debian 13 with Python 3.13
# and the packages that a device installs). The machine runs under software emulation, without KVM.
. "$(dirname "$0")/common.sh"
. "$RIGS_HERE/vm.sh"
RIGS=$(rigs_folder "${1:-}")
RIG=$RIGS/v4l2
STAMP=$(stamp_of "$0" "$RIGS_HERE/common.sh" "$RIGS_HERE/vm.sh" "$RIGS_HERE/v4l2_init.sh")
MODULES="virtio_pci 9pnet_virtio 9p vivid"

# the programs are the machine's, not the folder's: another machine may share the folder
apt_install $VM_PROGRAMS
if built "$RIG" "$STAMP"; then exit 0; fi
[ "$(dpkg --print-architecture)" = amd64 ] || fail "this rig is for amd64 machines"
mkdir -p "$RIG"
rm -f "$RIG/.stamp"

vm_kernel
cp "$RIGS/kernel/kernel" "$RIG/kernel"
vm_initrd "$RIG/initrd.gz" "$RIGS_HERE/v4l2_init.sh" $MODULES

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
