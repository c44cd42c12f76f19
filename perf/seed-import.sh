#!/usr/bin/env bash
# Imports a generated bundle (default 5,000 MB), in turn with 'tar x' (synced) and 'sha1sum' of the same bundle on the same disk, three times; prints JSON,
# with --save also into perf/results/seed-import.json. Goal: speedRatio >= 0.7 (median), peakAnonymousMB < 300.
# Needs four times the bundle's size on disk below DIR. Build first: dotnet build -c Release
# usage: perf/seed-import.sh [--save] [MB] [DIR]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
save=0; [ "${1:-}" = --save ] && { save=1; shift; }
mb=${1:-5000}
dir=$(mktemp -d "${2:-/tmp}/seed-import.XXXXXX")
trap 'rm -rf "$dir"' EXIT
fixture=tiny.example.org
tar xf "$root/perf/Laboratory/fixtures/$fixture.tar" -C "$dir"
mkdir "$dir/keys" && cp "$root/perf/Laboratory/fixtures/$fixture.pub" "$dir/keys/"
dotnet "$root/perf/Micro/bin/Release/net10.0/Breakwater.Micro.dll" seed-bundle "$dir/b.tar" "$mb" "$dir/$fixture" "$root/perf/Laboratory/fixtures/$fixture.pub" >&2
export Store__Path="$dir/store" Store__QuotaBytes=$((mb * 2000000)) Admin__Listen= Repositories__KeysDirectory="$dir/keys"
now() { date +%s.%N; }

baseline() { # sets base, seconds
  sync; cat "$dir/b.tar" > /dev/null
  local t; t=$(now)
  mkdir "$dir/x" && tar xf "$dir/b.tar" -C "$dir/x" && sync -f "$dir/x"
  find "$dir/x/cvmfs" -path '*/data/*' -type f -print0 | xargs -0 sha1sum > /dev/null
  base=$(awk -v a="$t" -v b="$(now)" 'BEGIN { printf "%.2f", b - a }')
  rm -rf "$dir/x"
}

import() { # sets took, seconds, and anon, KB
  sync; cat "$dir/b.tar" > /dev/null
  local t a pid; t=$(now)
  dotnet "$root/proxy/bin/Release/net10.0/breakwater.dll" seed import "$dir/b.tar" >&2 & pid=$!
  anon=0
  while kill -0 $pid 2>/dev/null; do
    a=$(awk '/^RssAnon/ {print $2}' /proc/$pid/status 2>/dev/null || true)
    [ "${a:-0}" -gt "$anon" ] && anon=$a
    sleep 0.05
  done
  wait $pid
  took=$(awk -v a="$t" -v b="$(now)" 'BEGIN { printf "%.2f", b - a }')
  rm -rf "$dir/store"
}

load=$(cut -d' ' -f1 /proc/loadavg)
runs=() ratios=() most=0
for _ in 1 2 3; do
  baseline; import
  ratio=$(awk -v b="$base" -v t="$took" 'BEGIN { printf "%.2f", b / t }')
  runs+=("  {\"tarAndSha1Seconds\":$base,\"importSeconds\":$took,\"speedRatio\":$ratio,\"peakAnonymousMB\":$((anon / 1024))}")
  ratios+=("$ratio")
  [ "$anon" -gt "$most" ] && most=$anon
done

median=$(printf '%s\n' "${ratios[@]}" | sort -n | sed -n 2p)
cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
json=$(printf '{\n "benchmark": "seed-import (perf/seed-import.sh %s)",\n "machine": "%s cores (%s), %s, Linux %s, .NET %s; load average before: %s",\n "commit": "%s",\n "goal": "speedRatio >= 0.7, peakAnonymousMB < 300 at 5000 MB",\n "megabytes": %s,\n "speedRatio": %s,\n "peakAnonymousMB": %s,\n "runs": [\n%s\n ]\n}' \
  "$mb" "$(nproc)" "$cpu" "$(df --output=fstype "$dir" | tail -1)" "$(uname -r)" "$(dotnet --list-runtimes | sed -n 's/^Microsoft.NETCore.App \([^ ]*\).*/\1/p' | tail -1)" "$load" \
  "$(git -C "$root" rev-parse --short HEAD)" "$mb" "$median" $((most / 1024)) "$(IFS=$'\n'; printf '%s' "${runs[*]}" | sed '$!s/$/,/')")
printf '%s\n' "$json"
[ $save = 0 ] || printf '%s\n' "$json" > "$root/perf/results/seed-import.json"
