#!/bin/bash
# chromium.sh [FOLDER]: a browser without a screen, and Playwright's Python package to drive it.
# Playwright brings no browser: it takes Debian's. FOLDER (default .cache/rigs) gets chromium/site.
. "$(dirname "$0")/common.sh"
RIGS=$(rigs_folder "${1:-}")
RIG=$RIGS/chromium
STAMP=$(stamp_of "$0" "$RIGS_HERE/common.sh")

if built "$RIG" "$STAMP" && [ -x /usr/bin/chromium ]; then exit 0; fi
mkdir -p "$RIG"
rm -f "$RIG/.stamp"
[ -x /usr/bin/chromium ] || apt_install chromium fonts-dejavu-core
rm -rf "$RIG/site"
"$(rigs_python)" -m pip install --quiet --disable-pip-version-check --no-warn-conflicts \
    --target "$RIG/site" 'playwright>=1.50' 2>"$RIGS/downloads/playwright.log" ||
    fail "cannot install Playwright; see $RIGS/downloads/playwright.log"
echo "$STAMP" >"$RIG/.stamp"
