#!/bin/bash
# mosquitto.sh [FOLDER]: Eclipse Mosquitto, an MQTT broker, unpacked and not installed: a package
# that is installed would run a broker of its own. FOLDER (default .cache/rigs) gets mosquitto/,
# with the programs "mosquitto" and "mosquitto_passwd" that find the libraries beside them.
. "$(dirname "$0")/common.sh"
RIGS=$(rigs_folder "${1:-}")
RIG=$RIGS/mosquitto
STAMP=$(stamp_of "$0" "$RIGS_HERE/common.sh")

# asked for help it tells its version, with a failure for an exit code
runs() { [[ $("$RIG/mosquitto" -h 2>/dev/null) == "mosquitto version"* ]]; }

# Libraries that this machine has are not unpacked; another machine may share the folder.
if built "$RIG" "$STAMP" && runs; then exit 0; fi
rm -rf "$RIG"
mkdir -p "$RIG/debs" "$RIG/root"
if [ "$(id -u)" = 0 ]; then apt-get update -qq >&2; fi
# without an installation of it, apt would name no library that came with one
packages=$(apt-get -s install --no-install-recommends mosquitto 2>/dev/null | awk '/^Inst/ {print $2}')
[ -n "$packages" ] || packages="mosquitto"
(cd "$RIG/debs" && apt-get download -qq $packages >"$RIGS/downloads/apt.log" 2>&1) ||
    fail "cannot fetch $packages; see $RIGS/downloads/apt.log"
for deb in "$RIG"/debs/*.deb; do dpkg-deb -x "$deb" "$RIG/root"; done
rm -rf "$RIG/debs"
for program in sbin/mosquitto bin/mosquitto_passwd; do
    cat >"$RIG/$(basename "$program")" <<EOF
#!/bin/bash
here=\$(cd "\$(dirname "\$0")" && pwd)
export LD_LIBRARY_PATH=\$(find "\$here/root" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd :)
exec "\$here/root/usr/$program" "\$@"
EOF
    chmod +x "$RIG/$(basename "$program")"
done
runs || fail "mosquitto does not start; see: $RIG/mosquitto -h"
echo "$STAMP" >"$RIG/.stamp"
