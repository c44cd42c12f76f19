#!/usr/bin/env python3
"""Hits of two builds in turn, in one sitting: is the one as fast as the other?

Both serve the same objects from stores of their own. Each round loads the one and then the other, the next round the other way round. Of each size the ratio
after / before of each round, its mean (of logarithms) and the 95 % interval: "within noise" when it contains 1 and its lower end is at least 0.97, "faster"
when it lies above. Nothing else may run. Prints one line of JSON; exit code 1: something is slower.

Publish both builds alike: dotnet publish proxy -c Release -o DIR (at each commit); dotnet build -c Release perf/Storm
usage: perf/before-after.py BEFORE AFTER [--rounds 9] [--seconds 3] [--sizes 4096 32768 262144] | tee perf/results/before-after.json
"""
import argparse, json, math, pathlib, statistics, subprocess, sys, time

import lab as laboratory
from lab import Lab, MACHINE, ready, warm

REPOSITORY = "race.example.org"
T95 = {7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262, 11: 2.228, 12: 2.201, 13: 2.179, 15: 2.145, 21: 2.086, 31: 2.042, 41: 2.021, 61: 2.000}  # of rounds - 1 degrees of freedom
parser = argparse.ArgumentParser()
parser.add_argument("before", type=pathlib.Path)
parser.add_argument("after", type=pathlib.Path)
parser.add_argument("--rounds", type=int, default=9, choices=sorted(T95))
parser.add_argument("--seconds", type=float, default=3)
parser.add_argument("--connections", type=int, default=64)
parser.add_argument("--sizes", type=int, nargs="+", default=[4096, 32768, 262144])
arguments = parser.parse_args()


def version(build):
    return subprocess.run(["dotnet", build / "breakwater.dll", "--version"], capture_output=True, text=True).stdout.strip()


def measure(size):
    with Lab() as lab:
        trace = lab.work / "trace.txt"
        upstream = lab.upstream("--set", f"fixed:{max(64, min(1000, (64 << 20) // size))}:{size}:1", "--trace-out", trace)
        paths = trace.read_text().split()
        ports = []
        for name, build in (("before", arguments.before), ("after", arguments.after)):
            laboratory.PROXY = build.resolve() / "breakwater.dll"
            _, port = lab.breakwater([upstream], REPOSITORY, name=name)
            ready(port, f"http://127.0.0.1:{upstream}{paths[0]}")
            for _ in range(2):
                warm(port, [f"http://127.0.0.1:{upstream}{path}" for path in paths])
            ports.append(port)

        def rate(i):
            result = lab.hot(trace, ports[i], upstream, arguments.seconds, arguments.connections)
            if result["errors"]:
                sys.exit(f"answers failed: {result}")
            return result["requestsPerSecond"]

        rate(0), rate(1)
        rounds = []
        for number in range(arguments.rounds):
            order = (0, 1) if number % 2 == 0 else (1, 0)
            rates = {i: rate(i) for i in order}
            rounds.append((rates[0], rates[1]))
        logs = [math.log(after / before) for before, after in rounds]
        mean, half = statistics.mean(logs), T95[len(logs)] * statistics.stdev(logs) / math.sqrt(len(logs))
        low, high = math.exp(mean - half), math.exp(mean + half)
        verdict = "within noise" if low <= 1 <= high and low >= 0.97 else "faster" if low > 1 else "slower" if high < 1 else "not decided: measure on a quieter machine"
        return {"bytes": size, "before": round(statistics.median(r[0] for r in rounds)), "after": round(statistics.median(r[1] for r in rounds)),
                "ratio": round(math.exp(mean), 4), "interval95": [round(low, 4), round(high, 4)], "verdict": verdict, "rounds": [[round(x) for x in r] for r in rounds]}


cases = [measure(size) for size in arguments.sizes]
print(json.dumps({"benchmark": "hits before and after (perf/before-after.py)", "before": version(arguments.before), "after": version(arguments.after),
                  "connections": arguments.connections, "seconds": arguments.seconds, "cases": cases, "machine": MACHINE,
                  "measured": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}))
sys.exit(1 if any(case["verdict"] == "slower" for case in cases) else 0)
