#!/bin/bash
# arm64.sh [FOLDER]: what runs the project's device code as a Pi's own Python would, emulated.
# FOLDER (default .cache/rigs) gets arm64/: qemu-aarch64 (user-mode emulator 10), trixie and
# bookworm (root file systems with Python 3.13 and 3.11), and the packages for each, from wheels.
. "$(dirname "$0")/common.sh"
RIGS=$(rigs_folder "${1:-}")
RIG=$RIGS/arm64
STAMP=$(stamp_of "$0" "$RIGS_HERE/common.sh")

# wheels PYTHON_VERSION TARGET REQUIREMENT...: unpack aarch64 wheels, and nothing else
wheels() {
    local version=$1 target=$2 platform platforms=()
    shift 2
    for platform in manylinux_2_34 manylinux_2_28 manylinux_2_27 manylinux_2_17 manylinux2014; do
        platforms+=(--platform "${platform}_aarch64")
    done
    rm -rf "$target" "$target.part"
    "$(rigs_python)" -m pip install --quiet --disable-pip-version-check --no-deps \
        --no-compile --only-binary=:all: --cache-dir "$RIGS/downloads/pip" --python-version "$version" \
        --implementation cp "${platforms[@]}" --target "$target.part" "$@" \
        >"$RIGS/downloads/pip.log" 2>&1 || { tail -5 "$RIGS/downloads/pip.log" >&2; exit 1; }
    mv "$target.part" "$target"
}

if built "$RIG" "$STAMP"; then exit 0; fi
mkdir -p "$RIG"
rm -f "$RIG/.stamp"
apt_install mmdebstrap debian-archive-keyring

# Debian 12's own emulator (7.2) crashes in LiteRT 2; the one of Debian 13 does not.
bootstrap trixie "$(dpkg --print-architecture)" qemu-user "$RIG/emulators"
cp "$RIG/emulators/usr/bin/qemu-aarch64" "$RIG/qemu-aarch64" # linked statically
rm -rf "$RIG/emulators"
bootstrap trixie arm64 base-files,python3,python3-minimal,libstdc++6,zlib1g "$RIG/trixie"
bootstrap bookworm arm64 python3,python3-minimal,libstdc++6,zlib1g "$RIG/bookworm"

# What the wheel's extra "device" asks for (tests/rigs/test_arm64.py compares), then what its tests do.
device=('pillow>=10.4' 'click>=8.2' 'jinja2>=3.1' markupsafe 'av>=14.1' 'cryptography>=44' cffi
    pycparser 'tomlkit>=0.12')
testing=('pytest>=8.2' pluggy iniconfig packaging pygments 'hypothesis>=6.100' sortedcontainers)
wheels 3.13 "$RIG/site-trixie" 'ai-edge-litert>=2.0' 'numpy>=1.26' flatbuffers ml_dtypes protobuf \
    tqdm typing_extensions backports.strenum "${device[@]}" "${testing[@]}"
wheels 3.11 "$RIG/site-bookworm" tflite-runtime==2.14.0 'numpy>=1.26,<2' "${device[@]}" \
    typing_extensions "${testing[@]}"
echo "$STAMP" >"$RIG/.stamp"
