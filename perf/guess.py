#!/usr/bin/env python3
"""A first boot of which nothing is known: with guesses, without, and beside one whose working set is known, with the Stratum 1 some milliseconds away.

A round: three proxies with empty stores; one has WorkingSets:Guess off, one on, one has the working set of the same boot imported. One VM boots through
each, one object after the other. Saved: the share of the time that a known set saves which guesses save (goal: at least half), requests upstream beyond what
the VM asked for, as a share of it (goal: at most 0.5), bytes of them as a share of its bytes (goal: at most 0.15). Prints one line of JSON.

Build first: dotnet build -c Release proxy && dotnet build -c Release perf/Storm
usage: perf/guess.py [--rtt-ms 30] [--rounds 7] [--concurrent 8] | tee perf/results/guess.json
"""
import argparse, json, os, shutil, statistics, time

from lab import Lab, MACHINE, ROOT, get, ready, storm

FQRN = "minios.example.org"
MANIFEST = f"/cvmfs/{FQRN}/.cvmfspublished"
FIXTURES = ROOT / "perf/Laboratory/fixtures"
TRACE = FIXTURES / "minios/boot-requests.v2.txt"
parser = argparse.ArgumentParser()
parser.add_argument("--rtt-ms", type=float, default=30)
parser.add_argument("--rounds", type=int, default=7)
parser.add_argument("--concurrent", type=int, default=8)
arguments = parser.parse_args()


def one(guess, profile=None, learn=False):
    """One VM's boot through a proxy that has nothing stored: milliseconds, object requests and body bytes upstream, the profile learned if asked for."""
    with Lab() as lab:
        upstream = lab.upstream("--tar", FIXTURES / f"{FQRN}.tar", "--delay-ms", arguments.rtt_ms)
        keys = lab.work / "keys"
        keys.mkdir()
        shutil.copy(FIXTURES / f"{FQRN}.pub", keys)
        _, port = lab.breakwater([upstream], FQRN, Repositories__KeysDirectory=str(keys), WorkingSets__Learn="true",
                                 WorkingSets__Guess=str(guess).lower(), WorkingSets__MaxConcurrentPrefetches=str(arguments.concurrent))
        ready(port, MANIFEST)
        if profile:
            lab.teach(FQRN, profile)
        before = json.loads(get(upstream, "/_control/counters")[1])
        result = storm("boot", "--vms", 1, "--trace", TRACE, "--check", "--proxy", f"127.0.0.1:{port}", "--host", f"127.0.0.1:{upstream}")
        assert result["finished"] == 1, result
        time.sleep(3)  # what is under way counts, too
        after = json.loads(get(upstream, "/_control/counters")[1])
        learned = lab.learned(FQRN, "boot-HEAD4", 60) if learn else None
        return result["boot"]["p50Ms"], {k: after[k] - before[k] for k in after if isinstance(after[k], (int, float))}, learned


asked = len(set(line for line in TRACE.read_text().split() if "/data/" in line))
profile = one(False, learn=True)[2]
assert profile, "nothing was learned"
rounds = []
for _ in range(arguments.rounds):
    rounds.append([one(False), one(True), one(False, profile)])
times = [[r[i][0] for r in rounds] for i in range(3)]
off, on, known = (statistics.median(t) for t in times)
requests = [[r[i][1]["objectRequests"] for r in rounds] for i in range(3)]
print(json.dumps({
    "benchmark": "guess", "rttMs": arguments.rtt_ms, "concurrentPrefetches": arguments.concurrent, "askedObjects": asked,
    "withoutMs": times[0], "withMs": times[1], "knownMs": times[2], "ratio": round(on / off, 3), "ratioKnown": round(known / off, 3),
    "shareOfSaving": round((off - on) / (off - known), 3), "goalShare": 0.5,
    "upstreamObjects": requests, "requestsInVain": round((statistics.median(requests[1]) - asked) / asked, 3), "goalInVain": 0.5,
    "counters": rounds[-1][1][1], "countersWithout": rounds[-1][0][1],
    "machine": f"{MACHINE}, load average {os.getloadavg()[0]:.1f}"}))
