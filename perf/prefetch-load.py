#!/usr/bin/env python3
"""Demand hits beside a prefetch.

Measured in one run: the most hits a second, closed loop; then, in rounds, an open loop of 30 % of that alone, and the same during a prefetch of new objects, which
goes as fast as it may. Goals: p99 beside it at most 1.5 times that alone, processor time of the event loops a hit at most 1.1 times; medians of the rounds. Prints one line of JSON.

Build first: dotnet build -c Release proxy && dotnet build -c Release perf/Storm
usage: perf/prefetch-load.py [--seconds 10] [--megabytes 800] [--rounds 5] | tee perf/results/prefetch-load.json
"""
import argparse, hashlib, io, json, os, pathlib, random, statistics, tarfile, time

from lab import Lab, MACHINE, ROOT, ready, warm

FQRN = "minios.example.org"
OBJECT_BYTES = 33_000       # the median file of a boot
HOT = 400

parser = argparse.ArgumentParser()
parser.add_argument("--seconds", type=float, default=10)
parser.add_argument("--megabytes", type=int, default=800, help="of each prefetch: must last longer than --seconds and the warm-up of 1 s")
parser.add_argument("--rounds", type=int, default=5)
arguments = parser.parse_args()


def make(count, seed, tar):
    """Adds incompressible objects to the tree; gives their keys."""
    source, keys = random.Random(seed), []
    for _ in range(count):
        body = source.randbytes(OBJECT_BYTES)
        key = hashlib.sha1(body).hexdigest()
        entry = tarfile.TarInfo(f"{FQRN}/data/{key[:2]}/{key[2:]}")
        entry.size = len(body)
        tar.addfile(entry, io.BytesIO(body))
        keys.append(key)
    return keys


def loop_seconds():
    """Processor time of the threads that answer hits."""
    tasks = pathlib.Path(f"/proc/{proxy.pid}/task").iterdir()
    return sum(int((t / "schedstat").read_text().split()[0]) for t in tasks if (t / "comm").read_text().startswith("hit loop")) / 1e9


def hot(rate=0.0):
    """Runs a load; gives p99 in ms and the loops' time a hit in µs."""
    before = loop_seconds()
    result = lab.hot(lab.work / "hot.txt", port, upstream_port, arguments.seconds, 64, rate)
    assert result["errors"] == 0, result
    # The warm-up's second is in the processor time: the rate was the same in it.
    return result, (loop_seconds() - before) / (result["requests"] * (1 + 1 / arguments.seconds)) * 1e6


def prefetch(name, keys):
    """Begins a prefetch; gives its command."""
    (lab.work / f"{name}.json").write_text(json.dumps({
        "name": name, "repository": FQRN, "source": "Given", "snapshots": [""], "boots": 0, "updatedAt": "2026-01-01T00:00:00Z",
        "entries": [{"key": key} for key in keys]}))
    assert lab.command("profile", "import", FQRN, name, lab.work / f"{name}.json").wait() == 0, "the import failed"
    return lab.command("warm", FQRN, "--working-set", name)


with Lab() as lab:
    count = arguments.megabytes * 1_000_000 // OBJECT_BYTES
    with tarfile.open(ROOT / f"perf/Laboratory/fixtures/{FQRN}.tar") as fixture, tarfile.open(lab.work / "tree.tar", "w") as tar:
        for member in fixture:
            if member.isfile():
                tar.addfile(member, fixture.extractfile(member))
        hot_keys, first_keys = make(HOT, 1, tar), make(count, 2, tar)
        round_keys = [make(count, 3 + i, tar) for i in range(arguments.rounds)]
    os.sync()  # else the kernel writes the tree to the disk in the middle of a measurement
    (lab.work / "hot.txt").write_text("".join(f"/cvmfs/{FQRN}/data/{k[:2]}/{k[2:]}\n" for k in hot_keys))
    upstream_port = lab.upstream("--tar", lab.work / "tree.tar")
    (lab.work / "no-keys").mkdir(exist_ok=True)
    proxy, port = lab.breakwater([upstream_port], FQRN, Repositories__KeysDirectory=str(lab.work / "no-keys"))
    hot_paths = (lab.work / "hot.txt").read_text().split()
    ready(port, hot_paths[0])
    assert warm(port, hot_paths) == HOT * OBJECT_BYTES

    most, _ = hot()
    rate = 0.3 * most["requestsPerSecond"]
    begun = time.monotonic()
    assert prefetch("first", first_keys).wait() == 0  # so that compiling the code of a prefetch is in no figure
    prefetch_seconds = time.monotonic() - begun
    alone, beside, outlasted = [], [], []
    for i, keys in enumerate(round_keys):
        alone.append(hot(rate))
        started = prefetch(f"round{i}", keys)
        time.sleep(0.5)
        beside.append(hot(rate))
        outlasted.append(started.poll() is None)
        assert started.wait() == 0
    p99, cpu = lambda runs: [r["latency"]["p99Ms"] for r, _ in runs], lambda runs: [round(us, 1) for _, us in runs]
    median = statistics.median
    print(json.dumps({
        "benchmark": "prefetch-load", "mostHitsPerSecond": round(most["requestsPerSecond"]), "rate": round(rate), "seconds": arguments.seconds,
        "prefetchMegabytesPerSecondAlone": round(arguments.megabytes / prefetch_seconds, 1), "prefetchesOutlastedTheLoad": all(outlasted),
        "p99MsAlone": p99(alone), "p99MsBeside": p99(beside), "p99Ratio": round(median(p99(beside)) / median(p99(alone)), 2), "p99Goal": 1.5,
        "hitCpuUsAlone": cpu(alone), "hitCpuUsBeside": cpu(beside), "hitCpuRatio": round(median(cpu(beside)) / median(cpu(alone)), 2), "hitCpuGoal": 1.1,
        "machine": MACHINE}))
