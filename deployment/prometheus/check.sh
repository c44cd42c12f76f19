#!/usr/bin/env bash
# Starts a Breakwater and a real Prometheus on loopback; checks the rules, the exposition, that Prometheus scrapes it, and that docs/operate/metrics.md names
# every metric of ours. Needs promtool and prometheus. Usage: check.sh PATH_TO_BREAKWATER
set -euo pipefail
cd "$(dirname "$0")/../.."
breakwater=${1:?usage: check.sh PATH_TO_BREAKWATER}
work=$(mktemp -d) server=0 prometheus=0
trap 'for p in $server $prometheus; do [ "$p" = 0 ] || { kill "$p" 2>/dev/null; wait "$p" 2>/dev/null; }; done; rm -rf "$work"' EXIT
promtool check rules deployment/prometheus/alerts.yaml
env Proxy__Listen__0=127.0.0.1:0 Admin__Listen=127.0.0.1:19131 Store__Path="$work/store" \
  ReverseProxy__Clusters__check__Destinations__s1__Address=http://127.0.0.1:9/ Repositories__check.example.org__Cluster=check "$breakwater" serve > "$work/out" 2>&1 & server=$!
for _ in $(seq 150); do curl -sf -o /dev/null http://127.0.0.1:19131/healthz/ready && break; sleep 0.1; done
proxy=$(sed -n 's/^Breakwater is listening on //p' "$work/out" | head -1)
curl -s -o /dev/null "$proxy/cvmfs/check.example.org/.cvmfspublished" || true
curl -sf http://127.0.0.1:19131/metrics > "$work/metrics"
promtool check metrics < "$work/metrics"
sed -n 's/^# TYPE \(breakwater_[a-z_]*\) .*/\1/p' "$work/metrics" | sort -u > "$work/exported"
grep -o '^| `breakwater_[a-z_]*' docs/operate/metrics.md | tr -d '|` ' | sort -u > "$work/documented"
missing=$(comm -23 "$work/exported" "$work/documented")
[ -z "$missing" ] || { echo "docs/operate/metrics.md does not name: $missing" >&2; exit 1; }
printf 'global: { scrape_interval: 1s }\nscrape_configs: [ { job_name: breakwater, static_configs: [ { targets: [ "127.0.0.1:19131" ] } ] } ]\n' > "$work/prometheus.yaml"
prometheus --config.file="$work/prometheus.yaml" --storage.tsdb.path="$work/tsdb" --web.listen-address=127.0.0.1:19132 > "$work/prometheus.log" 2>&1 & prometheus=$!
for _ in $(seq 30); do
  value=$(curl -s 'http://127.0.0.1:19132/api/v1/query?query=breakwater_build_info' | grep -o '"value":\[[^]]*\]' || true)
  [ -z "$value" ] || { echo "Prometheus has scraped it: $value; $(wc -l < "$work/exported") metrics of ours, all documented"; exit 0; }
  sleep 1
done
tail -5 "$work/prometheus.log" >&2; exit 1
