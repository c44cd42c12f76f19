#!/usr/bin/env python3
"""From start to serving with 1 M and 10 M objects, each time in a new process, and the memory that the index takes.

    dotnet build -c Release perf/StoreSim && perf/store-open.py [--save] [--runs N]

Needs 3 GB of memory and 1.5 GB of disk for a minute. The bytes an object are the difference between both sizes: the fixed part falls out.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
SIM = os.path.join(HERE, "StoreSim/bin/Release/net10.0/Breakwater.StoreSim")


def run(objects):
    out = subprocess.run([SIM, "open", str(objects), "1"], check=True, capture_output=True, text=True, timeout=120)
    return json.loads(out.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", action="store_true", help="write results/store-open.json")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    rounds = [(run(1_000_000), run(10_000_000)) for _ in range(options.runs)]  # in turn: other work meets both
    small, large = zip(*rounds)
    per_object = [(b["ResidentMiB"] - a["ResidentMiB"]) * 2**20 / 9e6 for a, b in rounds]
    result = {
        "benchmark": "store-open (perf/store-open.py)",
        "machine": f"{os.cpu_count()} processors, Linux {platform.release()}, load {os.getloadavg()[0]:.1f} at the end",
        "goal": "1 M <= 1 s, 10 M <= 5 s, <= 100 B an object",
        "seconds1M": statistics.median(r["Seconds"] for r in small),
        "seconds10M": statistics.median(r["Seconds"] for r in large),
        "bytesPerObject": round(statistics.median(per_object)),
        "runs1M": small,
        "runs10M": large,
    }
    text = json.dumps(result, indent=1)
    print(text)
    if options.save:
        with open(os.path.join(HERE, "results/store-open.json"), "w", encoding="utf-8") as file:
            file.write(text + "\n")


if __name__ == "__main__":
    main()
