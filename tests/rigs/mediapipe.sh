#!/bin/bash
# mediapipe.sh [FOLDER]: MediaPipe, as somebody else's tool that reads our model files.
# FOLDER (default .cache/rigs) gets mediapipe/site, for the project's own Python: NumPy,
# Matplotlib and OpenCV are that one's. MediaPipe itself asks for opencv-contrib-python, which
# overwrites the headless OpenCV of the same environment; without it nothing here is missing.
. "$(dirname "$0")/common.sh"
RIGS=$(rigs_folder "${1:-}")
RIG=$RIGS/mediapipe
STAMP=$(stamp_of "$0" "$RIGS_HERE/common.sh")

libraries() { ldconfig -p | grep -q 'libEGL\.so\.1' && ldconfig -p | grep -q 'libGLESv2\.so\.2'; }

# The libraries are the machine's, not the folder's: another machine may share the folder.
if built "$RIG" "$STAMP" && libraries; then exit 0; fi
mkdir -p "$RIG"
rm -f "$RIG/.stamp"
libraries || apt_install libegl1 libgles2
rm -rf "$RIG/site"
"$(rigs_python)" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
    --only-binary=:all: --cache-dir "$RIGS/downloads/pip" --target "$RIG/site" \
    'mediapipe>=1.2,<2' absl-py certifi flatbuffers >"$RIGS/downloads/pip.log" 2>&1 ||
    fail "no wheels; see $RIGS/downloads/pip.log"
echo "$STAMP" >"$RIG/.stamp"
