#!/usr/bin/env bash
# Builds breakwater_VERSION_amd64.deb. Usage: build.sh OUTPUT_DIRECTORY [VERSION] [PUBLISHED_DIRECTORY]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${1:?usage: build.sh OUTPUT_DIRECTORY [VERSION] [PUBLISHED_DIRECTORY]}
version=${2:-$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$root/Directory.Build.props")}
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

mkdir -p "$out" "$tree"/{DEBIAN,usr/bin,usr/lib/breakwater,usr/lib/systemd/system,etc/breakwater,usr/share/doc/breakwater,usr/share/bash-completion/completions}
if [ -n "${3:-}" ]; then cp -r "$3"/. "$tree/usr/lib/breakwater/"; else "$here/../publish.sh" "$tree/usr/lib/breakwater"; fi
ln -s ../lib/breakwater/breakwater "$tree/usr/bin/breakwater"
cp "$here/../systemd/breakwater.service" "$here/../systemd/breakwater.socket" "$tree/usr/lib/systemd/system/"
cp "$here/appsettings.json" "$tree/etc/breakwater/"
cp "$root"/LICENSE "$tree/usr/share/doc/breakwater/copyright"
cp "$root"/docs/*.md "$tree/usr/share/doc/breakwater/"
cp -r "$here/../examples" "$here/../boot" "$tree/usr/share/doc/breakwater/"
"$tree/usr/lib/breakwater/breakwater" completion bash > "$tree/usr/share/bash-completion/completions/breakwater"
chmod -R u=rwX,go=rX "$tree"
for script in postinst prerm postrm; do install -m 0755 "$here/$script" "$tree/DEBIAN/"; done
echo /etc/breakwater/appsettings.json > "$tree/DEBIAN/conffiles"
cat > "$tree/DEBIAN/control" <<CONTROL
Package: breakwater
Version: $version
Architecture: amd64
Maintainer: Breakwater <breakwater@localhost>
Installed-Size: $(du -sk "$tree/usr" | cut -f1)
Depends: adduser, libc6 (>= 2.31), libgcc-s1, libstdc++6, libssl3 | libssl3t64
Recommends: ca-certificates, tzdata
Section: net
Priority: optional
Description: site cache for CernVM-FS
 A caching HTTP proxy that fetches each object of CernVM-FS once, verifies every byte, survives a crash with its cache, and keeps
 thousands of simultaneous boots of virtual machines fast.
CONTROL
dpkg-deb -Zgzip -z6 --build --root-owner-group "$tree" "$out/breakwater_${version}_amd64.deb"
