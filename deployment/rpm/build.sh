#!/usr/bin/env bash
# Builds breakwater-VERSION-1.ARCH.rpm from a published directory. Usage: build.sh OUTPUT_DIRECTORY VERSION PUBLISHED_DIRECTORY x86_64|aarch64
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$(realpath "${1:?usage: build.sh OUTPUT_DIRECTORY VERSION PUBLISHED_DIRECTORY ARCH}") version=${2:?VERSION} published=$(realpath "${3:?PUBLISHED_DIRECTORY}") arch=${4:?ARCH}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
host=${HOST_BREAKWATER:-$published/breakwater}
"$host" manual "$work/man"
for shell in bash zsh fish; do "$host" completion "$shell" > "$work/breakwater.$shell"; done
"$here/../documents.sh" "$version" "$work/doc"
rm -r "$work/doc/deployment/systemd"
"$here/../documents.sh" --check "$work/doc"
rpmbuild -bb --quiet --target "$arch" --define "_topdir $work/top" --define "_rpmdir $work/rpms" --define "version $version" --define "root $root" \
  --define "published $published" --define "made $work" --define "_build_id_links none" --define "use_source_date_epoch_as_buildtime 1" \
  --define "clamp_mtime_to_source_date_epoch 1" --define "_buildhost breakwater" "$here/breakwater.spec"
mv "$work"/rpms/*/*.rpm "$out/"
