#!/usr/bin/env bash
# A mixed fault storm against the real process: 100,000 requests, seeded. Fails on a wrong body, a hang, a descriptor left, a damaged object in the store.
# usage: perf/Faults/storm.sh [REQUESTS] [SEED]     the result goes to perf/results/fault-storm.json
set -euo pipefail
cd "$(dirname "$0")/../.."
export BREAKWATER_STORM_REQUESTS=${1:-100000} BREAKWATER_STORM_SEED=${2:-8} BREAKWATER_STORM_RESULT="$PWD/perf/results/fault-storm.json"
dotnet test tests/Proxy.FunctionalTests -c Release --filter 'FullyQualifiedName~FaultStormTests'
cat "$BREAKWATER_STORM_RESULT"
