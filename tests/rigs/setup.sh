#!/bin/bash
# setup.sh [FOLDER [RIG...]]: build the test rigs (default: all) into FOLDER (default .cache/rigs)
# and tell the seconds that each took. What is built already is left as it is.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- arm64 rtsp mosquitto v4l2 systemd libcamera mediapipe peers s3 chromium promtool
failed=0
for rig in "$@"; do
    start=$(date +%s)
    if "$here/$rig.sh" ${folder:+"$folder"}; then
        echo "rig $rig: $(($(date +%s) - start)) s"
    else
        echo "rig $rig: failed after $(($(date +%s) - start)) s" >&2
        failed=1
    fi
done
exit $failed
