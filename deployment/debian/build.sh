#!/usr/bin/env bash
# Builds breakwater_VERSION_ARCH.deb. Usage: build.sh OUTPUT_DIRECTORY [VERSION] [PUBLISHED_DIRECTORY] [amd64|arm64]
# The man pages and the completion are written by the program itself: for another architecture than this machine's, HOST_BREAKWATER names one that runs here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${1:?usage: build.sh OUTPUT_DIRECTORY [VERSION] [PUBLISHED_DIRECTORY] [amd64|arm64]}
version=${2:-$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$root/Directory.Build.props")}
arch=${4:-$(dpkg --print-architecture)}
case $arch in amd64) rid=linux-x64;; arm64) rid=linux-arm64;; *) echo "no package for $arch" >&2; exit 2;; esac
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)}
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
doc=$tree/usr/share/doc/breakwater

mkdir -p "$out" "$tree"/{DEBIAN,usr/bin,usr/lib/breakwater,usr/lib/systemd/system,etc/breakwater,usr/share/bash-completion/completions,usr/share/zsh/vendor-completions,usr/share/fish/vendor_completions.d,usr/share/man/man1,usr/share/lintian/overrides} "$doc"
if [ -n "${3:-}" ]; then cp -r "$3"/. "$tree/usr/lib/breakwater/"; else "$here/../publish.sh" "$tree/usr/lib/breakwater" "$rid"; fi
ln -s ../lib/breakwater/breakwater "$tree/usr/bin/breakwater"
host=${HOST_BREAKWATER:-$tree/usr/lib/breakwater/breakwater}

cp "$here/../systemd/breakwater.service" "$here/../systemd/breakwater.socket" "$tree/usr/lib/systemd/system/"
cp "$here/appsettings.json" "$tree/etc/breakwater/"
cp "$here/copyright" "$doc/copyright"
cp "$here/lintian-overrides" "$tree/usr/share/lintian/overrides/breakwater"
"$here/../documents.sh" "$version" "$doc"
gzip -9nc "$doc/CHANGELOG.md" > "$doc/changelog.gz"
rm -r "$doc/CHANGELOG.md" "$doc/LICENSE" "$doc/deployment/systemd"  # Debian has its own names for the first two
"$here/../documents.sh" --check "$doc"
{
  echo "breakwater ($version) stable; urgency=medium"
  echo
  echo "  * See changelog.gz."
  echo
  echo " -- Breakwater maintainers <breakwater@example.org>  $(date -u -R -d "@$SOURCE_DATE_EPOCH")"
} | gzip -9nc > "$doc/changelog.Debian.gz"
"$host" completion bash > "$tree/usr/share/bash-completion/completions/breakwater"
"$host" completion zsh > "$tree/usr/share/zsh/vendor-completions/_breakwater"
"$host" completion fish > "$tree/usr/share/fish/vendor_completions.d/breakwater.fish"
"$host" manual "$tree/usr/share/man/man1"
gzip -9n "$tree"/usr/share/man/man1/*.1
find "$tree" -type d -exec chmod 0755 {} +
find "$tree" -type f -exec chmod 0644 {} +
chmod 0755 "$tree/usr/lib/breakwater/breakwater"
for script in postinst prerm postrm; do install -m 0755 "$here/$script" "$tree/DEBIAN/"; done
echo /etc/breakwater/appsettings.json > "$tree/DEBIAN/conffiles"
cat > "$tree/DEBIAN/control" <<CONTROL
Package: breakwater
Version: $version
Architecture: $arch
Maintainer: Breakwater maintainers <breakwater@example.org>
Installed-Size: $(du -sk "$tree/usr" | cut -f1)
Depends: adduser, init-system-helpers (>= 1.54), libc6 (>= 2.31), libgcc-s1, libstdc++6, libssl3 | libssl3t64
Recommends: ca-certificates, tzdata
Section: net
Priority: optional
Description: site cache for CernVM-FS
 A caching HTTP proxy that fetches each object of CernVM-FS once, verifies
 every byte, survives a crash with its cache, and keeps thousands of
 simultaneous boots of virtual machines fast.
CONTROL
(cd "$tree" && find usr etc -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum > DEBIAN/md5sums)
find "$tree" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb -Zxz --build --root-owner-group "$tree" "$out/breakwater_${version}_${arch}.deb"
