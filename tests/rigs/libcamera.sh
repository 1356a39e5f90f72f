#!/bin/bash
# libcamera.sh [FOLDER]: libcamera's virtual camera with picamera2 on top, without hardware.
# FOLDER (default .cache/rigs) gets libcamera/: root (Debian 13 with Python 3.13, libcamera,
# picamera2), the shim that stands in for a kernel's shared buffers, and the pictures shown.
. "$(dirname "$0")/common.sh"
RIGS=$(rigs_folder "${1:-}")
RIG=$RIGS/libcamera
STAMP=$(stamp_of "$0" "$RIGS_HERE/common.sh" "$RIGS_HERE/libcamera_shim.c" "$RIGS_HERE/libcamera.yaml")

if built "$RIG" "$STAMP"; then exit 0; fi
mkdir -p "$RIG"
rm -f "$RIG/.stamp"
apt_install mmdebstrap debian-archive-keyring gcc libc6-dev

# As on a Pi, everything but picamera2 and what Debian lacks comes from Debian.
packages=base-files,bash,coreutils,mount,libcamera-tools,libcamera-ipa,python3-libcamera
packages+=,python3-prctl,python3-piexif,python3-av,python3-numpy,python3-pil,python3-jsonschema
packages+=,python3-tqdm,python3-click,python3-jinja2,python3,python3-minimal
bootstrap trixie "$(dpkg --print-architecture)" "$packages" "$RIG/root"
mkdir -p "$RIG/root"/{checkout,exchange,shown,dev,proc,sys,tmp} "$RIG/root/usr/share/libcamera/pipeline/virtual"
cp "$RIGS_HERE/libcamera.yaml" "$RIG/root/usr/share/libcamera/pipeline/virtual/virtual.yaml"
gcc -shared -fPIC -O1 -o "$RIG/root/shim.so" "$RIGS_HERE/libcamera_shim.c" -ldl
rm -rf "$RIG/root/site"
"$(rigs_python)" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
    --cache-dir "$RIGS/downloads/pip" --python-version 3.13 --implementation cp \
    --only-binary=:all: --platform "manylinux_2_28_$(uname -m)" \
    --platform "manylinux_2_27_$(uname -m)" --platform "manylinux_2_17_$(uname -m)" \
    --platform "manylinux2014_$(uname -m)" \
    --target "$RIG/root/site" picamera2==0.3.38 simplejpeg OpenEXR videodev2 libarchive-c \
    ai-edge-litert backports.strenum flatbuffers ml_dtypes protobuf typing_extensions \
    >"$RIGS/downloads/pip.log" 2>&1 || fail "no wheels; see $RIGS/downloads/pip.log"
echo "$STAMP" >"$RIG/.stamp"
