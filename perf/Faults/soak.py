#!/usr/bin/env python3
"""Hours in small: the proxy under a steady load of hits, misses and faults, its memory, descriptors and threads written down every few seconds.

The load: hits at a fixed rate over objects of which a part is evicted all the time (a quota below the set), a Stratum 1 that misbehaves beside a good one. Ends with 1 when the
median of the last quarter is more than 10 % (and 32 MiB, 32 descriptors, 8 threads) above that of the second quarter. Requests that failed are counted: a few may, both Stratum 1s being slow at once. A minute only shows that the script works: the heap still grows. Prints JSON.

usage: perf/Faults/soak.py [--minutes 30] [--rate 1500] | tee perf/results/soak.json
"""
import argparse, json, os, pathlib, statistics, subprocess, sys, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lab import Lab, MACHINE, ready


def sample(pid):
    status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    # Mapped segments are page cache, which the kernel takes back: what counts is what is not a file's.
    return {"at": round(time.monotonic(), 1), "rssMiB": round(int(status["RssAnon"].split()[0]) / 1024, 1),
            "descriptors": len(os.listdir(f"/proc/{pid}/fd")), "threads": int(status["Threads"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=1500)
    options = parser.parse_args()
    seconds = min(options.minutes, 24 * 60) * 60
    with Lab() as lab:
        trace = lab.work / "trace.txt"
        sets = ["--set", "fixed:12000:16384:3", "--set", "fixed:40:1500000:4"]
        bad = lab.upstream(*sets, "--trace-out", trace, "--faults", "flip=0.02,truncate=0.02,reset=0.02,notfound=0.01,double=0.01,stall=0.001", "--seed", "8")
        good = lab.upstream(*sets)
        paths = trace.read_text().split()
        proxy, port = lab.breakwater([bad, good], paths[0].split("/")[2], Store__QuotaBytes=str(160 << 20), Store__MinFreeBytes="0", Logging__LogLevel__Default="Critical")
        ready(port, paths[0])
        samples, over = [], threading.Event()

        def watch():
            while not over.wait(max(1.0, seconds / 600)):
                samples.append(sample(proxy.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        load = lab.hot(trace, port, good, seconds, 64, options.rate)
        over.set()
        watcher.join()
        quarter = len(samples) // 4
        drift, is_flat = {}, True
        for what, allowed in (("rssMiB", 32), ("descriptors", 32), ("threads", 8)):
            early = statistics.median(s[what] for s in samples[quarter:2 * quarter])
            late = statistics.median(s[what] for s in samples[3 * quarter:])
            drift[what] = {"secondQuarter": early, "lastQuarter": late, "most": max(s[what] for s in samples)}
            is_flat &= late <= early * 1.1 or late - early <= allowed
        result = {"benchmark": "soak", "minutes": options.minutes, "rate": options.rate, "requests": load["requests"], "errors": load["errors"], "isFlat": is_flat, **drift,
                  "samples": samples[:: max(1, len(samples) // 60)], "machine": MACHINE}
        print(json.dumps(result))
        return 0 if is_flat and proxy.poll() is None else 1


if __name__ == "__main__":
    sys.exit(main())
