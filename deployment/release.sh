#!/usr/bin/env bash
# Makes a release on one machine: tarballs and packages that need no .NET on the target (amd64, arm64), checksums, an SBOM, release notes.
# Usage: release.sh VERSION [OUTPUT_DIRECTORY]. ARCHES="amd64" makes that one alone. The same commit gives the same archives: times are those of the commit.
# An rpm is made where rpmbuild is installed, an OCI image archive where mmdebstrap is (it fetches Debian's libraries, needs no daemon and no registry).
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:?usage: release.sh VERSION [OUTPUT_DIRECTORY]} out=$(realpath -m "${2:-release}")
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "'$version' is not a version such as 1.2.3" >&2; exit 2; }
declare -A rids=([amd64]=linux-x64 [arm64]=linux-arm64) rpms=([amd64]=x86_64 [arm64]=aarch64)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

# First what may fail at once: a link that leads nowhere in what is shipped, a changelog without this version.
deployment/documents.sh "$version" "$work/documents"
deployment/documents.sh --notes "$version" > "$out/RELEASE_NOTES.md"

# The program of this machine's architecture writes man pages and completions for all packages.
here=$(dpkg --print-architecture 2>/dev/null || { [ "$(uname -m)" = aarch64 ] && echo arm64 || echo amd64; })
arches=${ARCHES:-"amd64 arm64"}
publish() { deployment/publish.sh "$work/$1" "${rids[$1]}" -p:Version="$version" -p:Deterministic=true -p:ContinuousIntegrationBuild=true >&2; }
publish "$here"
export HOST_BREAKWATER=$work/$here/breakwater

for arch in $arches; do
  [ -d "$work/$arch" ] || publish "$arch"
  name=breakwater-$version-${rids[$arch]}
  mkdir -p "$work/tar/$name"
  cp -r "$work/$arch" "$work/tar/$name/lib"
  cp -r "$work/documents/." "$work/tar/$name/"
  "$HOST_BREAKWATER" manual "$work/tar/$name/man/man1"
  deployment/documents.sh --check "$work/tar/$name"
  tar -C "$work/tar" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -cf - "$name" | gzip -9n > "$out/$name.tar.gz"
  deployment/debian/build.sh "$out" "$version" "$work/$arch" "$arch"
  if command -v rpmbuild >/dev/null; then deployment/rpm/build.sh "$out" "$version" "$work/$arch" "${rpms[$arch]}"; else echo "no rpm for $arch: rpmbuild is not installed" >&2; fi
  if command -v mmdebstrap >/dev/null; then deployment/container/image.py "$version" "$arch" "$work/$arch" "$out/breakwater-$version-oci-$arch.tar"; else echo "no image for $arch: mmdebstrap is not installed" >&2; fi
done

deployment/sbom.py "$version" > "$out/breakwater-$version.cdx.json"
(cd "$out" && rm -f SHA256SUMS && LC_ALL=C sha256sum -- *"$version"* RELEASE_NOTES.md > SHA256SUMS)
ls -l "$out"
