#!/usr/bin/env python3
"""Hits of a hot set of 300 MiB in a store of 10 GiB, in a cgroup of 1 GiB and without one.

The cgroup is charged for the page cache, which serves the hits: the process must leave it enough of its 1 GiB. Before each measurement the page cache is empty,
2 GiB of the cold objects are read through the proxy, then the hot set. Rounds alternate. Needs root (cgroup v1 or v2, and to empty the page cache) and 12 GB of disk;
takes about five minutes, most of them to fill the store. Prints one line of JSON; exit code 1: below the goal.

Build first: dotnet build -c Release proxy && dotnet build -c Release perf/Storm
usage: perf/memory-limit.py [--rounds 3] [--seconds 8] [--store-gib 10] | tee perf/results/memory-limit.json
"""
import argparse, concurrent.futures, json, os, pathlib, statistics, subprocess, sys, time

from lab import Lab, MACHINE, ROOT, ready, warm

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--seconds", type=float, default=8)
parser.add_argument("--store-gib", type=float, default=10)
arguments = parser.parse_args()
GOAL, MIB, REPOSITORY = 0.9, 1 << 20, "race.example.org"
HOT, COLD = "fixed:1200:262144:1", 4 * MIB


class Group:
    """A memory cgroup of its own."""

    def __init__(self, limit):
        v1, v2 = pathlib.Path("/sys/fs/cgroup/memory"), pathlib.Path("/sys/fs/cgroup")
        self.path, self.is_v1 = (v1 if v1.exists() else v2) / f"breakwater-{os.getpid()}", v1.exists()
        self.path.mkdir()
        (self.path / ("memory.limit_in_bytes" if self.is_v1 else "memory.max")).write_text(str(limit))

    def command(self, command):
        return ["/bin/sh", "-c", f'echo $$ > {self.path}/cgroup.procs && exec "$@"', "sh", *map(str, command)]

    def peak(self):
        name = "memory.max_usage_in_bytes" if self.is_v1 else "memory.peak"
        return int((self.path / name).read_text()) // MIB if (self.path / name).exists() else None

    def close(self):
        self.path.rmdir()


class LimitedLab(Lab):
    group = None

    def start(self, *command, **options):
        return super().start(*(self.group.command(command) if self.group and "serve" in command else command), **options)


def empty_page_cache():
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")


def memory(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) // 1024 for line in lines if line.startswith(("VmRSS", "RssAnon"))}


def read_through(port, host, paths):
    with concurrent.futures.ThreadPoolExecutor(4) as clients:
        return sum(clients.map(lambda i: warm(port, [host + path for path in paths[i::4]]), range(4)))


def end(lab, process):
    process.terminate()
    process.wait(60)
    lab.processes.remove(process)


def serve(lab, upstream, hot):
    proxy, port = lab.breakwater([upstream], REPOSITORY, Store__QuotaBytes=str(int((arguments.store_gib + 4) * (1 << 30))))
    ready(port, f"http://127.0.0.1:{upstream}{hot[0]}", seconds=300)  # the runtime is read from a disk that has just been filled
    return proxy, port


def measure(lab, limit, upstream, hot, cold, trace):
    lab.group = Group(limit) if limit else None
    empty_page_cache()
    proxy, port = serve(lab, upstream, hot)
    host = f"http://127.0.0.1:{upstream}"
    read_through(port, host, cold[:512])
    for _ in range(2):
        read_through(port, host, hot)
    result = lab.hot(trace, port, upstream, arguments.seconds, 64)
    found = {"result": result, "memory": memory(proxy.pid), "groupPeakMiB": lab.group.peak() if lab.group else None}
    end(lab, proxy)
    if lab.group:
        time.sleep(1)
        lab.group.close()
        lab.group = None
    return found


with LimitedLab() as lab:
    hot_file, cold_file = lab.work / "hot.txt", lab.work / "cold.txt"
    count = int(arguments.store_gib * (1 << 30) / COLD)
    hot_upstream = lab.upstream("--set", HOT, "--trace-out", hot_file)
    hot = hot_file.read_text().split()
    batch = 512  # of 4 MiB: an upstream of 2 GiB at a time, so that the objects themselves need no more memory
    proxy, port = serve(lab, hot_upstream, hot)
    cold, begun = [], time.monotonic()
    read_through(port, f"http://127.0.0.1:{hot_upstream}", hot)
    end(lab, proxy)
    for seed in range(2, 2 + (count + batch - 1) // batch):
        upstream = lab.upstream("--set", f"fixed:{min(batch, count - len(cold))}:{COLD}:{seed}", "--trace-out", cold_file)
        source = lab.processes[-1]
        paths = cold_file.read_text().split()
        proxy, port = serve(lab, upstream, paths)
        read_through(port, f"http://127.0.0.1:{upstream}", paths)
        for process in (proxy, source):
            end(lab, process)
        cold += paths
    print(f"filled {len(cold) * COLD >> 20} MiB in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    stored = sum(f.stat().st_size for f in (lab.work / "store").rglob("*") if f.is_file())
    rounds = {"limited": [], "free": []}
    for _ in range(arguments.rounds):
        for name, limit in (("limited", 1 << 30), ("free", 0)):
            rounds[name].append(measure(lab, limit, hot_upstream, hot, cold, hot_file))

def rate(found):
    assert found["result"]["errors"] == 0, found
    return found["result"]["requestsPerSecond"]


limited, free = (statistics.median(rate(r) for r in rounds[name]) for name in ("limited", "free"))
commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
print(json.dumps({
    "benchmark": "hits in a cgroup of 1 GiB (perf/memory-limit.py)", "hitsPerSecond": {"limited": round(limited), "free": round(free)}, "ratio": round(limited / free, 3), "goal": GOAL,
    "storeMiB": stored // MIB, "hotMiB": 300, "rounds": {name: [{"hitsPerSecond": round(rate(r)), "memory": r["memory"], "groupPeakMiB": r["groupPeakMiB"]} for r in found] for name, found in rounds.items()},
    "cgroup": "v1" if pathlib.Path("/sys/fs/cgroup/memory").exists() else "v2", "machine": MACHINE, "commit": commit, "measured": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}))
sys.exit(0 if limited >= GOAL * free else 1)
