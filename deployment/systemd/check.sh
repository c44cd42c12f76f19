#!/usr/bin/env bash
# The units by systemd's own checker, and a start by its own socket activation: the ports are those of the settings, another one stops the start.
# Usage: check.sh BREAKWATER
set -euo pipefail
breakwater=$(realpath "${1:?usage: check.sh BREAKWATER}") here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) server=0 port=23128
finish() { [ "$server" = 0 ] || kill "$server" 2>/dev/null || true; rm -rf "$work"; }
trap finish EXIT

cp "$here"/breakwater.service "$here"/breakwater.socket "$work"
sed -i "s#/usr/lib/breakwater/breakwater#$breakwater#" "$work/breakwater.service"
"$breakwater" socket-unit --write --directory "$work" >/dev/null
systemd-analyze verify "$work/breakwater.service" "$work/breakwater.socket"
echo "units: no complaint"

export Proxy__Listen__0=127.0.0.1:$port Proxy__Offline=true Admin__Listen=127.0.0.1:0 Store__Path="$work/store"
systemd-socket-activate -l 127.0.0.1:$port --fdname=proxy -E Proxy__Listen__0 -E Proxy__Offline -E Admin__Listen -E Store__Path "$breakwater" serve > "$work/log" 2>&1 & server=$!
for _ in $(seq 50); do grep -q "Listening on" "$work/log" && break; sleep 0.1; done
curl -sf -m 20 "http://127.0.0.1:$port/wpad.dat" | grep -q FindProxyForURL
echo "started by the first connection, which was answered"
kill "$server"; wait "$server" || true

systemd-socket-activate -l 127.0.0.1:$((port + 1)) -E Proxy__Listen__0 -E Proxy__Offline -E Admin__Listen -E Store__Path "$breakwater" serve > "$work/log" 2>&1 & server=$!
for _ in $(seq 50); do grep -q "Listening on" "$work/log" && break; sleep 0.1; done
if curl -s -m 20 -o /dev/null "http://127.0.0.1:$((port + 1))/wpad.dat"; then echo "a port that no setting names was served" >&2; exit 1; fi
code=0; wait "$server" || code=$?; server=0
grep -q "no setting names" "$work/log" && [ "$code" = 78 ]
echo "a port that no setting names: exit code 78, and the connection was reset"
