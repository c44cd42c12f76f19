#!/usr/bin/env bash
# Installs, starts, fetches through, upgrades (the cache stays), removes and purges the package on this machine, as root.
# Where systemd does not run, the service is started as the unit would: same user, same environment, same command.
# Usage: try.sh OLD.deb NEW.deb
set -euo pipefail
old=${1:?usage: try.sh OLD.deb NEW.deb} new=${2:?usage: try.sh OLD.deb NEW.deb}
[ ! -e /var/cache/breakwater ] || { echo "/var/cache/breakwater exists: this machine has a Breakwater, nothing is tried here." >&2; exit 1; }
work=$(mktemp -d) server=0 upstream=0
chmod 755 "$work"
fqrn=try.example.org
stop() { if [ "$server" != 0 ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; server=0; fi; }
finish() { stop; [ "$upstream" = 0 ] || kill "$upstream" 2>/dev/null || true; dpkg --purge breakwater >/dev/null 2>&1 || true; rm -rf "$work"; }
trap finish EXIT

# A Stratum 1 with one object, named by its hash.
head -c 100000 /dev/urandom > "$work/object"
hash=$(sha1sum "$work/object" | cut -d' ' -f1)
path=cvmfs/$fqrn/data/${hash:0:2}/${hash:2}
mkdir -p "$work/www/$(dirname "$path")"
cp "$work/object" "$work/www/$path"
python3 -u -m http.server 18080 --bind 127.0.0.1 --directory "$work/www" > "$work/upstream.log" 2>&1 & upstream=$!

settings="Proxy__Listen__0=127.0.0.1:13128 Admin__Listen=127.0.0.1:19130 ReverseProxy__Clusters__try__Destinations__s1__Address=http://127.0.0.1:18080/ Repositories__${fqrn}__Cluster=try"
start() {
  setpriv --reuid=breakwater --regid=breakwater --clear-groups env -i PATH=/usr/bin:/bin $settings /usr/lib/breakwater/breakwater serve > "$work/server.log" 2>&1 & server=$!
  for _ in $(seq 100); do curl -sf -o /dev/null http://127.0.0.1:19130/healthz/ready && return; sleep 0.1; done
  cat "$work/server.log" >&2; echo "it did not get ready" >&2; return 1
}
fetch() { curl -sf -x http://127.0.0.1:13128 -D "$work/head" -o "$work/got" "http://s1.example.org/$path"; cmp "$work/got" "$work/object"; grep -i '^Cache-Status' "$work/head" | tr -d '\r'; }

echo "== install";  dpkg -i "$old" >/dev/null; breakwater --version
echo "== start as $(id -un breakwater)"; start
echo "== fetch";    fetch; fetch | grep -q '; hit' || { echo "the second fetch was no hit" >&2; exit 1; }
test "$(stat -c %a /var/lib/breakwater/admin.token)" = 600
test -s /var/log/breakwater/access.log
sleep 1; stop
echo "== upgrade";  dpkg -i "$new" >/dev/null; breakwater --version; start
fetch | grep '; hit' || { echo "the upgrade lost the cache" >&2; exit 1; }
test "$(grep -c GET "$work/upstream.log")" -ge 1 && test "$(grep -c "GET /$path" "$work/upstream.log")" = 1
stop
echo "== remove";   dpkg -r breakwater >/dev/null; test -d /var/cache/breakwater; test ! -e /usr/bin/breakwater
echo "== purge";    dpkg --purge breakwater >/dev/null; test ! -e /var/cache/breakwater; test ! -e /etc/breakwater/appsettings.json
! getent passwd breakwater >/dev/null
echo "all well"
