#!/usr/bin/env python3
"""Demand hits beside a prefetch at full speed.

Measured in one run: (1) the most hits a second, closed loop; (2) an open loop of 30 % of that, alone; (3) a prefetch alone; (4) the same open loop
during a prefetch of other objects. Goals: p99 of (4) at most 1.5 times that of (2), processor time a hit at most 1.1 times; the prefetch's own
processor time, taken from (3) by the byte, is subtracted in (4). Prints one line of JSON.

Build first: dotnet build -c Release proxy && dotnet build -c Release perf/Storm
usage: perf/prefetch-load.py [--seconds 10] [--megabytes 3000] | tee perf/results/prefetch-load.json
"""
import argparse, hashlib, io, json, random, tarfile, time

from lab import Lab, MACHINE, ROOT, cpu_seconds, ready, warm

FQRN = "minios.example.org"
OBJECT_BYTES = 33_000       # the median file of a boot
HOT = 400

parser = argparse.ArgumentParser()
parser.add_argument("--seconds", type=float, default=10)
parser.add_argument("--megabytes", type=int, default=3000, help="of each prefetch: must last longer than --seconds and the warm-up of 1 s")
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


def hot(rate=0.0):
    """Runs a load; gives its result with the proxy's CPU seconds meanwhile."""
    before = cpu_seconds(proxy.pid)
    result = lab.hot(lab.work / "hot.txt", port, upstream_port, arguments.seconds, 64, rate)
    used = cpu_seconds(proxy.pid) - before
    # The warm-up's second is in the CPU figure: the rate was the same in it.
    result["cpuSeconds"] = used
    result["hits"] = result["requests"] * (1 + 1 / arguments.seconds)
    assert result["errors"] == 0, result
    return result


def prefetch(name, keys):
    """Begins a prefetch; gives its command, and the proxy's CPU seconds and the time when it began (the import is before)."""
    (lab.work / f"{name}.json").write_text(json.dumps({
        "name": name, "repository": FQRN, "source": "Given", "snapshots": [""], "boots": 0, "updatedAt": "2026-01-01T00:00:00Z",
        "entries": [{"key": key} for key in keys]}))
    assert lab.command("profile", "import", FQRN, name, lab.work / f"{name}.json").wait() == 0, "the import failed"
    return lab.command("warm", FQRN, "--working-set", name), cpu_seconds(proxy.pid), time.monotonic()


with Lab() as lab:
    count = arguments.megabytes * 1_000_000 // OBJECT_BYTES
    with tarfile.open(ROOT / f"tests/fixtures/{FQRN}.tar") as fixture, tarfile.open(lab.work / "tree.tar", "w") as tar:
        for member in fixture:
            if member.isfile():
                tar.addfile(member, fixture.extractfile(member))
        hot_keys, first_keys, alone_keys, beside_keys = make(HOT, 1, tar), make(count // 2, 4, tar), make(count, 2, tar), make(count, 3, tar)
    (lab.work / "hot.txt").write_text("".join(f"/cvmfs/{FQRN}/data/{k[:2]}/{k[2:]}\n" for k in hot_keys))
    upstream_port = lab.upstream("--tar", lab.work / "tree.tar")
    (lab.work / "no-keys").mkdir(exist_ok=True)
    proxy, port = lab.breakwater([upstream_port], FQRN, Repositories__KeysDirectory=str(lab.work / "no-keys"))
    hot_paths = (lab.work / "hot.txt").read_text().split()
    ready(port, hot_paths[0])
    assert warm(port, hot_paths) == HOT * OBJECT_BYTES

    most = hot()
    rate = 0.3 * most["requestsPerSecond"]
    calm = hot(rate)
    # One before, so that compiling the code of a prefetch is in no figure.
    assert prefetch("first", first_keys)[0].wait() == 0
    alone, before, begun = prefetch("alone", alone_keys)
    assert alone.wait() == 0
    prefetch_seconds, prefetch_cpu = time.monotonic() - begun, cpu_seconds(proxy.pid) - before

    started, busy_before, _ = prefetch("beside", beside_keys)
    busy = hot(rate)
    outlasted = started.poll() is None
    # To the prefetch's end, so that all of its work is in the figure, and all of the hits.
    assert started.wait() == 0
    total = cpu_seconds(proxy.pid) - busy_before
    calm_us, busy_us = calm["cpuSeconds"] / calm["hits"] * 1e6, (total - prefetch_cpu) / busy["hits"] * 1e6
    print(json.dumps({
        "benchmark": "prefetch-load", "mostHitsPerSecond": round(most["requestsPerSecond"]), "rate": round(rate), "seconds": arguments.seconds,
        "prefetchMegabytesPerSecond": round(arguments.megabytes / prefetch_seconds, 1), "prefetchOutlastedTheLoad": outlasted,
        "p99MsAlone": calm["latency"]["p99Ms"], "p99MsBeside": busy["latency"]["p99Ms"],
        "p99Ratio": round(busy["latency"]["p99Ms"] / calm["latency"]["p99Ms"], 2), "p99Goal": 1.5,
        "hitCpuUsAlone": round(calm_us, 1), "hitCpuUsBeside": round(busy_us, 1), "hitCpuRatio": round(busy_us / calm_us, 2), "hitCpuGoal": 1.1,
        "machine": MACHINE}))
