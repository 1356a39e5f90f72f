#!/bin/bash
# s3.sh [FOLDER]: an object store that speaks S3 (moto's server) and the package that reads one (s3fs).
# FOLDER (default .cache/rigs) gets s3/site, for the project's own Python: aiohttp, cryptography,
# Jinja2 and others are that one's. fsspec comes along, since s3fs works with one version of it.
. "$(dirname "$0")/common.sh"
RIGS=$(rigs_folder "${1:-}")
RIG=$RIGS/s3
STAMP=$(stamp_of "$0" "$RIGS_HERE/common.sh")

if built "$RIG" "$STAMP"; then exit 0; fi
mkdir -p "$RIG"
rm -rf "$RIG/.stamp" "$RIG/site"
# What moto asks for besides serves other services than S3, and is some 100 MB.
"$(rigs_python)" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
    --only-binary=:all: --cache-dir "$RIGS/downloads/pip" --target "$RIG/site" \
    s3fs==2026.9.0 fsspec==2026.9.0 aiobotocore==3.10.0 botocore==1.43.117 aioitertools==0.13.0 \
    jmespath==1.1.0 python-dateutil==2.9.0.post0 moto==5.2.5 boto3==1.43.117 s3transfer==0.19.3 \
    responses==0.26.3 xmltodict==1.0.4 py-partiql-parser==0.6.3 Flask==3.1.3 flask-cors==6.0.5 \
    Werkzeug==3.1.9 blinker==1.9.0 itsdangerous==2.2.0 >"$RIGS/downloads/pip.log" 2>&1 ||
    fail "no wheels; see $RIGS/downloads/pip.log"
echo "$STAMP" >"$RIG/.stamp"
