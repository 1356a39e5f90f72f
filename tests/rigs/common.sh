# Shared by the set-up scripts of the rigs; to be sourced. Needs Debian 12 or newer and root.
set -euo pipefail

RIGS_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
RIGS_CHECKOUT=$(cd "$RIGS_HERE/../.." && pwd)

# rigs_folder [FOLDER]: the folder of rigs and downloads, made and absolute
rigs_folder() {
    local folder=${1:-${CORROSION_EDGE_RIGS:-${CORROSION_EDGE_CACHE:-$RIGS_CHECKOUT/.cache}/rigs}}
    mkdir -p "$folder/downloads"
    (cd "$folder" && pwd)
}

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# apt_install PACKAGE...: install what is missing
apt_install() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || fail "needs root to install: ${missing[*]}"
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" >"$RIGS/downloads/apt.log" 2>&1 ||
        fail "cannot install ${missing[*]}; see $RIGS/downloads/apt.log"
}

# debian_mirror: the mirror that this machine's own apt uses
debian_mirror() {
    local uri
    uri=$(apt-get indextargets --format '$(LABEL) $(COMPONENT) $(REPO_URI)' \
        'Created-By: Packages' | awk '$1 == "Debian" && $2 == "main" {print $3; exit}')
    [ -n "$uri" ] || fail "no Debian mirror in this machine's apt sources"
    echo "$uri"
}

# bootstrap SUITE ARCHITECTURE PACKAGES TARGET [OPTION...]: unpack Debian packages with all that
# they depend on, without running anything of theirs. The packages stay in the downloads.
bootstrap() {
    local suite=$1 architecture=$2 packages=$3 target=$4 debs
    shift 4
    debs=$RIGS/downloads/$suite-$architecture-$(basename "$target")
    mkdir -p "$debs"
    rm -rf "$target.part"
    mmdebstrap --quiet --variant=extract --architectures="$architecture" --include="$packages" \
        --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"' \
        --skip=download/empty --skip=essential/unlink --skip=cleanup/apt/cache \
        --setup-hook="mkdir -p \"\$1/var/cache/apt/archives\"" \
        --setup-hook="find '$debs' -name '*.deb' -exec cp -t \"\$1/var/cache/apt/archives\" {} +" \
        --extract-hook="rm -f '$debs'/*.deb" \
        --extract-hook="find \"\$1/var/cache/apt/archives\" -maxdepth 1 -name '*.deb' -exec cp -t '$debs' {} +" \
        --extract-hook="rm -rf \"\$1/var/cache/apt/archives\"" \
        "$@" "$suite" "$target.part" "$(debian_mirror)" >&2
    rm -rf "$target"
    mv "$target.part" "$target"
}

# built FOLDER STAMP: whether the folder was built by scripts of just this content
built() {
    [ -f "$1/.stamp" ] && [ "$(cat "$1/.stamp")" = "$2" ]
}

# stamp_of FILE...: changes when one of the scripts does
stamp_of() {
    cat "$@" | sha256sum | cut -c1-16
}

# a python3 with pip, to fetch wheels for other machines
rigs_python() {
    local python
    for python in "${PYTHON:-}" "$RIGS_CHECKOUT/.venv/bin/python" python3; do
        if [ -n "$python" ] && "$python" -m pip --version >/dev/null 2>&1; then
            echo "$python"
            return
        fi
    done
    fail "no Python with pip; name one in PYTHON"
}
