#!/bin/bash
# rtsp.sh [FOLDER]: GStreamer's RTSP server, for the system's own Python (its bindings have no
# wheel). FOLDER (default .cache/rigs) gets rtsp/, a mark that the server starts.
. "$(dirname "$0")/common.sh"
RIGS=$(rigs_folder "${1:-}")
RIG=$RIGS/rtsp
STAMP=$(stamp_of "$0" "$RIGS_HERE/common.sh")
PROBE='import gi; gi.require_version("GstRtspServer", "1.0"); from gi.repository import GstRtspServer'

# The packages are the machine's, not the folder's: another machine may share the folder.
if built "$RIG" "$STAMP" && /usr/bin/python3 -c "$PROBE" 2>/dev/null; then exit 0; fi
mkdir -p "$RIG"
rm -f "$RIG/.stamp"
apt_install python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base \
    gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly
/usr/bin/python3 -c "$PROBE" || fail "GStreamer's RTSP server does not load in /usr/bin/python3"
echo "$STAMP" >"$RIG/.stamp"
