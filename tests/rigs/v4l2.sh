#!/bin/bash
# v4l2.sh [FOLDER]: a small virtual machine whose kernel has a camera (the vivid driver).
# FOLDER (default .cache/rigs) gets v4l2/: kernel, initrd.gz, and root (Debian 13 with Python 3.13
# and the packages that a device installs). The machine runs under software emulation, without KVM.
. "$(dirname "$0")/common.sh"
. "$RIGS_HERE/vm.sh"
vm_begin "${1:-}" v4l2 "virtio_pci 9pnet_virtio 9p vivid"

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
