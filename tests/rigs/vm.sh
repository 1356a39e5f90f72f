# Shared by the rigs that boot a virtual machine; to be sourced after common.sh.

VM_PROGRAMS="mmdebstrap debian-archive-keyring qemu-system-x86 seabios busybox-static kmod cpio xz-utils"

# vm_begin FOLDER NAME MODULES [PROGRAM...]: set RIGS, RIG and STAMP, install what it takes, and put
# kernel and initrd.gz into RIG; ends the script where the rig is whole.
vm_begin() {
    local name=$2 modules=$3
    RIGS=$(rigs_folder "$1")
    shift 3
    RIG=$RIGS/$name
    STAMP=$(stamp_of "$0" "$RIGS_HERE"/{common.sh,vm.sh,vm_init.sh,"${name}_init.sh"})
    # the programs are the machine's, not the folder's: another machine may share the folder
    apt_install $VM_PROGRAMS "$@"
    if built "$RIG" "$STAMP"; then exit 0; fi
    [ "$(dpkg --print-architecture)" = amd64 ] || fail "this rig is for amd64 machines"
    mkdir -p "$RIG"
    rm -f "$RIG/.stamp"
    vm_kernel
    cp "$RIGS/kernel/kernel" "$RIG/kernel"
    vm_initrd "$RIG/initrd.gz" "$RIGS_HERE/${name}_init.sh" $modules
}

# vm_kernel: unpack Debian's kernel with its modules into $RIGS/kernel, once for all rigs. The
# kernels for clouds have no vivid; linux-image-amd64 depends on the one with all modules.
vm_kernel() {
    local kernel=$RIGS/kernel stamp version
    stamp=$(stamp_of "$RIGS_HERE/vm.sh" "$RIGS_HERE/common.sh")
    if built "$kernel" "$stamp"; then return 0; fi
    bootstrap trixie amd64 linux-image-amd64 "$kernel" --dpkgopt='path-exclude=/usr/share/*'
    cp "$kernel"/boot/vmlinuz-* "$kernel/kernel"
    version=$(ls "$kernel/usr/lib/modules")
    depmod -b "$kernel/usr" "$version"
    echo "$stamp" >"$kernel/.stamp"
}

# vm_modules TARGET MODULE...: the modules, unpacked, and modlist with their order
vm_modules() {
    local kernel=$RIGS/kernel target=$1 version module file name
    shift
    version=$(ls "$kernel/usr/lib/modules")
    for module in "$@"; do
        modprobe -d "$kernel/usr" -S "$version" --show-depends "$module" |
            awk '/^insmod/ {print $2}' | while read -r file; do
            name=$(basename "${file%.xz}")
            [ ! -e "$target/modules/$name" ] || continue
            case $file in
            *.xz) xz -dc "$file" >"$target/modules/$name" ;;
            *) cp "$file" "$target/modules/$name" ;;
            esac
            echo "$name" >>"$target/modlist"
        done
    done
}

# vm_initrd OUT INIT MODULE...: busybox, the modules, and the first process, which goes on with INIT
vm_initrd() {
    local out=$1 init=$2 content
    shift 2
    content=$(mktemp -d)
    mkdir -p "$content"/{bin,mnt,modules}
    cp /bin/busybox "$content/bin/busybox"
    vm_modules "$content" "$@"
    cat "$RIGS_HERE/vm_init.sh" "$init" >"$content/init"
    chmod 755 "$content/init"
    (cd "$content" && find . | cpio -o -H newc --quiet | gzip -1) >"$out"
    rm -rf "$content"
}
