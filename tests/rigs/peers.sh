#!/bin/bash
# peers.sh [FOLDER]: ONNX Runtime, OpenVINO and what makes ONNX of a TFLite file, to measure beside
# this project's own way. FOLDER (default .cache/rigs) gets peers/site, for the project's own
# Python: NumPy, protobuf and flatbuffers are that one's, so all peers work with the same.
. "$(dirname "$0")/common.sh"
RIGS=$(rigs_folder "${1:-}")
RIG=$RIGS/peers
STAMP=$(stamp_of "$0" "$RIGS_HERE/common.sh")

if built "$RIG" "$STAMP"; then exit 0; fi
mkdir -p "$RIG"
rm -rf "$RIG/.stamp" "$RIG/site"
"$(rigs_python)" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
    --only-binary=:all: --cache-dir "$RIGS/downloads/pip" --target "$RIG/site" \
    onnxruntime==1.32.0 openvino==2026.4.1 tf2onnx==1.17.0 onnx==1.23.2 >"$RIGS/downloads/pip.log" 2>&1 ||
    fail "no wheels; see $RIGS/downloads/pip.log"
echo "$STAMP" >"$RIG/.stamp"
