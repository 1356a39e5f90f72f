#!/bin/bash
# promtool.sh [FOLDER]: Prometheus' checker of metrics, unpacked and not installed. FOLDER (default
# .cache/rigs) gets promtool/promtool, of Debian's package prometheus.
. "$(dirname "$0")/common.sh"
RIGS=$(rigs_folder "${1:-}")
RIG=$RIGS/promtool
STAMP=$(stamp_of "$0" "$RIGS_HERE/common.sh")

if built "$RIG" "$STAMP" && "$RIG/promtool" --version >/dev/null 2>&1; then exit 0; fi
rm -rf "$RIG"
mkdir -p "$RIG/debs" "$RIGS/downloads"
if [ "$(id -u)" = 0 ]; then apt-get update -qq >&2; fi
(cd "$RIG/debs" && apt-get download -qq prometheus >"$RIGS/downloads/apt.log" 2>&1) ||
    fail "cannot fetch prometheus; see $RIGS/downloads/apt.log"
dpkg-deb -x "$RIG"/debs/prometheus_*.deb "$RIG/debs/root"
mv "$RIG/debs/root/usr/bin/promtool" "$RIG/promtool"
rm -rf "$RIG/debs"
"$RIG/promtool" --version >/dev/null 2>&1 || fail "promtool does not start; see: $RIG/promtool"
echo "$STAMP" >"$RIG/.stamp"
