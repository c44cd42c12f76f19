#!/usr/bin/env bash
# Imports a generated bundle (default 5,000 MB), beside 'tar x' and 'sha1sum' of the same bundle on the same disk; prints one line of JSON.
# Needs three times the bundle's size on disk below DIR. Build first: dotnet build -c Release
# usage: perf/seed-import.sh [MB] [DIR]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
mb=${1:-5000}
dir=$(mktemp -d "${2:-/tmp}/seed-import.XXXXXX")
trap 'rm -rf "$dir"' EXIT
fixture=tiny.example.org
tar xf "$root/tests/fixtures/$fixture.tar" -C "$dir"
dotnet "$root/perf/Micro/bin/Release/net10.0/Breakwater.Micro.dll" seed-bundle "$dir/b.tar" "$mb" "$dir/$fixture" "$root/tests/fixtures/$fixture.pub" >&2
now() { date +%s.%N; }
sync
cat "$dir/b.tar" > /dev/null

t0=$(now)
mkdir "$dir/x" && tar xf "$dir/b.tar" -C "$dir/x" && sync -f "$dir/x"
find "$dir/x/cvmfs" -path '*/data/*' -type f -print0 | xargs -0 sha1sum > /dev/null
t1=$(now)
rm -rf "$dir/x"; sync
cat "$dir/b.tar" > /dev/null

export Store__Path="$dir/store" Store__QuotaBytes=$((mb * 2000000)) Admin__Listen=
t2=$(now)
dotnet "$root/proxy/bin/Release/net10.0/breakwater.dll" seed import "$dir/b.tar" >&2 &
pid=$!
anon=0
while kill -0 $pid 2>/dev/null; do
  a=$(awk '/^RssAnon/ {print $2}' /proc/$pid/status 2>/dev/null || echo 0)
  [ "${a:-0}" -gt "$anon" ] && anon=$a
  sleep 0.05
done
wait $pid
t3=$(now)
awk -v a="$t0" -v b="$t1" -v c="$t2" -v d="$t3" -v mb="$mb" -v anon="$anon" -v m="$(nproc) cores, $(uname -r), $(dotnet --version)" 'BEGIN {
  printf "{\"benchmark\":\"seed-import\",\"megabytes\":%d,\"tarAndSha1Seconds\":%.2f,\"importSeconds\":%.2f,\"speedRatio\":%.2f,\"peakAnonymousMB\":%.0f,\"machine\":\"%s\"}\n", mb, b-a, d-c, (b-a)/(d-c), anon/1024, m }'
