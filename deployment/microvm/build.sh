#!/usr/bin/env bash
# Builds what boots a repository's operating system: kernel, initrd, iPXE script, hybrid ISO (BIOS and UEFI) and raw image.
# docs/operate/boot-a-lab.md tells what is in them. Runs on Debian; says what is missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
usage='build.sh --out DIRECTORY (--key FILE.pub... | --user-data-key | --insecure)
  --key FILE.pub     who may publish: the public key of a repository (FQRN.pub) or of a domain; may be given several times
  --user-data-key    an image for any lab: the key comes with the user data (cvmfs_key=), without it nothing is booted
  --insecure         an image that boots what anybody published, and says so on the console
  --modules SETS     virtio (the default), virtio,disk (also ext4, for a labelled disk), or virtio,disk,pc (also the cards and disks of real PCs)
  --repository FQRN, --server HOST[,HOST], --proxy LIST, --tag NAME
                     what is built in; user data and kernel command line say otherwise. The proxy is "auto;DIRECT" where nothing is said
  --arch ARCH        amd64 or arm64; this machine'"'"'s where nothing is said. Another is cross-built
  --append WORDS     more words for the kernel command line
  --client FILE      the site'"'"'s cvmfs2 in place of the mount of Breakwater; its libcvmfs_fuse*.so lie beside it, or in ../lib
  --mount DIRECTORY  a mount that is built already (breakwater-mount, libe_sqlite3.so); else it is compiled, which needs .NET and gcc or clang
  --kernel FILE.deb  a kernel package of Debian; else the newest of the distribution
  --no-images        kernel, initrd and script alone: neither ISO nor raw image'
die() { echo "build.sh: $*" >&2; exit 1; }

out= keys=() insecure=no anykey=no set=virtio repository= server= proxy='auto;DIRECT' tag= append= arch= client= mount= kernel= images=yes
while [ $# -gt 0 ]; do
  case $1 in
    --insecure) insecure=yes; shift; continue ;;
    --user-data-key) anykey=yes; shift; continue ;;
    --no-images) images=no; shift; continue ;;
    --help) echo "$usage"; exit 0 ;;
  esac
  [ $# -ge 2 ] || die "$1 needs a value.
$usage"
  case $1 in
    --out) out=$2 ;;
    --key) keys+=("$2") ;;
    --modules) set=$2 ;;
    --repository) repository=$2 ;;
    --server) server=$2 ;;
    --proxy) proxy=$2 ;;
    --tag) tag=$2 ;;
    --append) append=$2 ;;
    --arch) arch=$2 ;;
    --client) client=$2 ;;
    --mount) mount=$2 ;;
    --kernel) kernel=$2 ;;
    *) die "$1 is unknown.
$usage" ;;
  esac
  shift 2
done
[ -n "$out" ] || die "--out is missing.
$usage"
ways=0; if [ ${#keys[@]} -gt 0 ]; then ways=1; fi; for way in $insecure $anykey; do if [ $way = yes ]; then ways=$((ways + 1)); fi; done
[ $ways -gt 0 ] || die "no --key: a machine would boot what anybody publishes. Give the lab's public key, or say --user-data-key or --insecure."
[ $ways = 1 ] || die "--key, --user-data-key and --insecure exclude each other."
for key in "${keys[@]}"; do
  [ -s "$key" ] && grep -q 'PUBLIC KEY' "$key" && ! grep -q PRIVATE "$key" || die "$key is no public key in PEM."
  [ "${key%.pub}" != "$key" ] || die "$key: its name must be that of the repository or its domain, with .pub at the end."
done
IFS=, read -r -a lists <<< "$set"
for list in "${lists[@]}"; do [ -s "$here/modules/$list.list" ] || die "--modules: there is no modules/$list.list."; done
own=$(dpkg --print-architecture 2>/dev/null || uname -m)
case ${arch:=$own} in
  amd64) triple=x86_64-linux-gnu rid=linux-x64 console=ttyS0,115200 efi=x86_64-efi loader=BOOTX64.EFI ;;
  arm64) triple=aarch64-linux-gnu rid=linux-arm64 console=ttyAMA0 efi=arm64-efi loader=BOOTAA64.EFI ;;
  *) die "--arch: amd64 and arm64 are built, not $arch." ;;
esac

missing=()
need() { command -v "$1" >/dev/null || [ -e "$1" ] || missing+=("$2"); }
need apt-get apt; need cpio cpio; need xz xz-utils; need depmod kmod; need ldd libc-bin
if [ $images = yes ]; then
  need xorriso xorriso; need mformat mtools; need grub-mkimage grub-common
  [ "$arch" = arm64 ] || { need /usr/lib/ISOLINUX/isohdpfx.bin isolinux; need /usr/lib/syslinux/modules/bios/ldlinux.c32 syslinux-common; }
fi
if [ "$arch" != "$own" ]; then need "$triple-strip" "binutils-$triple"; need readelf binutils; fi
if [ -z "$client$mount" ]; then
  need dotnet "the .NET SDK"
  if [ "$arch" = "$own" ]; then
    command -v gcc >/dev/null || need clang clang
    need /usr/include/zlib.h zlib1g-dev
  else
    need clang clang; need "/usr/$triple/lib/crt1.o" "libc6-dev-$arch-cross"; need "$triple-gcc" "gcc-$triple"
  fi
fi
[ ${#missing[@]} = 0 ] || die "missing: ${missing[*]} (apt-get install --no-install-recommends ...)"

work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir -p "$out" "$work"/{debs,kernel,busybox,root}
root=$work/root

# Kernel and busybox, as Debian has them; those of another architecture by lists of their own.
apt=()
if [ "$arch" != "$own" ]; then
  mkdir -p "$work"/apt/{lists,cache/archives}/partial && : > "$work/apt/status"
  apt=(-o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "Dir::State=$work/apt" -o "Dir::State::status=$work/apt/status" -o "Dir::Cache=$work/apt/cache")
  apt-get "${apt[@]}" update -qq || true
fi
package() { (cd "$work/debs" && apt-get "${apt[@]}" download -qq "$1" 2>&1 | grep -v unsandboxed >&2 || true; ls "$work/debs/$1"_*.deb) || die "$1 cannot be had: apt-get update?"; }
if [ -z "$kernel" ]; then
  name=$(apt-cache "${apt[@]}" depends "linux-image-$arch" | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
  kernel=$(package "${name:-linux-image-$arch}")
fi
dpkg-deb -x "$kernel" "$work/kernel"
dpkg-deb -x "$(package busybox)" "$work/busybox"
version=$(ls "$work/kernel/lib/modules")
cp "$work/kernel/boot/vmlinuz-$version" "$out/vmlinuz"

# The file system of the initrd.
mkdir -p "$root"/{bin,boot.d,etc/cvmfs/keys,lib/modules,dev}
ln -s lib "$root/lib64"
install -m 755 "$work/busybox/bin/busybox" "$root/bin/busybox"
install -m 755 "$here/init/init" "$root/init"
install -m 755 "$here/init/udhcpc.script" "$root/bin/udhcpc.script"
install -m 644 "$here"/init/[0-9]*-* "$root/boot.d/"
programs=("$root/bin/busybox")
if [ -n "$client" ]; then
  install -m 755 "$client" "$root/bin/cvmfs2"
  stubs=("$(dirname "$client")"/libcvmfs_fuse*.so* "$(dirname "$client")"/../lib*/libcvmfs_fuse*.so*)
  for stub in "${stubs[@]}"; do if [ -e "$stub" ]; then install -m 755 "$(readlink -f "$stub")" "$root/lib/$(basename "$stub")"; fi; done
  programs+=("$root/bin/cvmfs2" "$root"/lib/libcvmfs_fuse*.so*)
else
  if [ -z "$mount" ]; then
    mount=$work/mount
    cross=()
    [ "$arch" = "$own" ] || cross=(-p:CppCompilerAndLinker=clang "-p:ObjCopyName=$triple-objcopy")
    dotnet publish "$here/client" -c Release -r "$rid" "${cross[@]}" -p:Native=true -p:NuGetLockFilePath=obj/native.lock.json \
      -p:RestoreLockedMode=false -p:GenerateDocumentationFile=false -p:DebugType=none -v q -o "$mount" >&2
  fi
  install -m 755 "$mount/breakwater-mount" "$mount/libe_sqlite3.so" "$root/bin/"
  if [ "$arch" = "$own" ]; then strip=strip; else strip=$triple-strip; fi
  "$strip" --strip-unneeded "$root/bin/libe_sqlite3.so"
  programs+=("$root/bin/breakwater-mount" "$root/bin/libe_sqlite3.so")
fi
# libraries_of PROGRAM: the files that the loader brings. The loader of another architecture does not run here: its libc package has them.
if [ "$arch" != "$own" ]; then
  for name in libc6 libgcc-s1; do dpkg-deb -x "$(package $name)" "$work/libraries"; done
fi
libraries_of() {
  if [ "$arch" = "$own" ]; then
    ldd "$1" | grep -q 'not found' && die "$(basename "$1"): $(ldd "$1" | grep 'not found')"
    ldd "$1" | grep -o '/[^ ]*' | grep -v "^$root"
    return
  fi
  readelf -ld "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p; s/.*program interpreter: .*\/\(.*\)\].*/\1/p' | while read -r name; do
    file=$(find "$work/libraries" -name "$name" | head -n 1)
    [ -n "$file" ] || die "$(basename "$1") needs $name, which neither libc6 nor libgcc-s1 has."
    echo "$file"
    case $name in libc.so.* | ld-*) ;; *) libraries_of "$file" ;; esac
  done
}
for program in "${programs[@]}"; do libraries_of "$program"; done | sort -u | while read -r library; do
  install -m 755 "$(readlink -f "$library")" "$root/lib/$(basename "$library")"
done
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
printf '127.0.0.1 localhost\n::1 localhost\n' > "$root/etc/hosts"
for key in "${keys[@]}"; do install -m 644 "$key" "$root/etc/cvmfs/keys/"; done
cat > "$root/etc/breakwater-boot.conf" <<X
NAME='Breakwater boot image, set $set'
INSECURE=$insecure
cvmfs_branch='${repository//\'/}'
cvmfs_server='${server//\'/}'
cvmfs_http_proxy='${proxy//\'/}'
cvmfs_pac_urls='http://grid-wpad/wpad.dat;http://wpad/wpad.dat'
cvmfs_tag='${tag//\'/}'
X

# The modules of the lists with what they depend on.
all=$work/kernel/lib/modules/$version
depmod -b "$work/kernel" "$version"
for list in "${lists[@]}"; do
  for module in $(sed 's/#.*//' "$here/modules/$list.list"); do
    modprobe -d "$work/kernel" -S "$version" --show-depends --ignore-install "$module" 2>/dev/null || echo "build.sh: Linux $version has no module $module; left out" >&2
  done
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u | while read -r file; do
  to=$root/lib/modules/$version/${file#*"/modules/$version/"}
  install -D -m 644 "$file" "$to"
done
cp "$all"/modules.{builtin,order} "$root/lib/modules/$version/"
cp "$all/modules.builtin.modinfo" "$root/lib/modules/$version/" 2>/dev/null || true
depmod -b "$root" "$version"
rm -f "$root/lib/modules/$version"/modules.{order,builtin.modinfo,builtin.alias.bin,builtin.bin,alias.bin,dep.bin,symbols.bin,symbols,softdep,devname}

# The same inputs make the same image.
find "$root" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-1735689600}" {} +
(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --owner=0:0 --reproducible --quiet) | xz --check=crc32 $([ "$arch" != amd64 ] || echo --x86) --lzma2=preset=9e,dict=32MiB > "$out/initrd.img"
words="console=tty0 console=$console quiet${append:+ $append}"
sed "s|^kernel .*|kernel vmlinuz initrd=initrd.img $words \|\| goto failed|" "$here/../boot/boot.ipxe" > "$out/boot.ipxe"

if [ $images = yes ]; then
  iso=$work/iso
  mkdir -p "$iso/boot"
  cp "$out/vmlinuz" "$out/initrd.img" "$iso/boot/"
  modules=(iso9660 search_fs_file linux boot)
  if [ "$arch" = arm64 ]; then # Debian's kernel is not compressed there; GRUB unpacks it
    gzip -9 -n -f < "$out/vmlinuz" > "$iso/boot/vmlinuz"
    modules+=(gzio)
  fi
  printf 'search.fs_file /boot/initrd.img root\nlinux /boot/vmlinuz %s\ninitrd /boot/initrd.img\nboot\n' "$words" > "$work/grub.cfg"
  dpkg-deb -x "$(package "grub-efi-$arch-bin")" "$work/grub"
  grub-mkimage -d "$work/grub/usr/lib/grub/$efi" -O "$efi" -o "$work/loader.efi" -p /boot -c "$work/grub.cfg" "${modules[@]}"
  truncate -s "$((($(stat -c %s "$work/loader.efi") / 1024 + 64) / 32 * 32))K" "$iso/boot/efi.img"
  mformat -i "$iso/boot/efi.img" -N 42524b57 -v EFI ::
  mmd -i "$iso/boot/efi.img" ::/EFI ::/EFI/BOOT
  mcopy -i "$iso/boot/efi.img" "$work/loader.efi" "::/EFI/BOOT/$loader"
  if [ "$arch" = amd64 ]; then
    mkdir "$iso/isolinux"
    cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$iso/isolinux/"
    printf 'serial 0 115200\ndefault boot\nprompt 0\nlabel boot\n  kernel /boot/vmlinuz\n  append initrd=/boot/initrd.img %s\n' "$words" > "$iso/isolinux/isolinux.cfg"
    how=(-isohybrid-mbr /usr/lib/ISOLINUX/isohdpfx.bin -partition_cyl_align off -c isolinux/boot.cat -b isolinux/isolinux.bin -no-emul-boot -boot-load-size 4
      -boot-info-table -eltorito-alt-boot -e boot/efi.img -no-emul-boot -isohybrid-gpt-basdat)
  else
    how=(--efi-boot boot/efi.img -efi-boot-part --efi-boot-image --protective-msdos-label)
  fi
  find "$iso" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-1735689600}" {} +
  xorriso -as mkisofs -quiet -no-pad -o "$out/breakwater-boot.iso" -V BREAKWATER_BOOT -r "${how[@]}" "$iso" > "$work/xorriso.log" 2>&1 || { cat "$work/xorriso.log" >&2; die "xorriso has written no ISO."; }
  cp "$out/breakwater-boot.iso" "$out/breakwater-boot.raw"
  truncate -s %1M "$out/breakwater-boot.raw"
fi
du -b "$out"/* | while read -r bytes file; do printf '%9d  %s\n' "$bytes" "$file"; done
[ -z "${BREAKWATER_BOOT_CONTENTS:-}" ] || (cd "$root" && find . -type f -printf '%s %P\n' | sort -rn > "$BREAKWATER_BOOT_CONTENTS")
