#!/usr/bin/env python3
"""Demand hits beside a prefetch at full speed.

Measured in one run: (1) the most hits a second, closed loop; (2) an open loop of 30 % of that, alone; (3) a prefetch alone; (4) the same open loop
during a prefetch of other objects. Goals: p99 of (4) at most 1.5 times that of (2), processor time a hit at most 1.1 times; the prefetch's own
processor time, taken from (3) by the byte, is subtracted in (4). Prints one line of JSON.

Build first: dotnet build -c Release proxy && dotnet build -c Release perf/Storm
usage: perf/prefetch-load.py [--seconds 10] [--megabytes 3000] | tee perf/results/prefetch-load.json
"""
import argparse, hashlib, http.client, io, json, os, pathlib, platform, random, shutil, socket, subprocess, sys, tarfile, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FQRN = "minios.example.org"
OBJECT_BYTES = 33_000       # the median file of a boot
HOT = 400

parser = argparse.ArgumentParser()
parser.add_argument("--seconds", type=float, default=10)
parser.add_argument("--megabytes", type=int, default=3000, help="of each prefetch: must last longer than --seconds and the warm-up of 1 s")
arguments = parser.parse_args()
proxy_dll = ROOT / "proxy/bin/Release/net10.0/breakwater.dll"
storm_dll = ROOT / "perf/Storm/bin/Release/net10.0/breakwater-storm.dll"
work = pathlib.Path(tempfile.mkdtemp(prefix="prefetch-load."))
processes = []


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
    command = ["dotnet", storm_dll, "hot", "--trace", work / "hot.txt", "--target", f"127.0.0.1:{port}", "--host", f"127.0.0.1:{upstream_port}",
               "--connections", "64", "--seconds", str(arguments.seconds), "--rate", str(rate)]
    result = json.loads(subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout)
    used = cpu_seconds(proxy.pid) - before
    # The warm-up's second is in the CPU figure: the rate was the same in it.
    result["cpuSeconds"] = used
    result["hits"] = result["requests"] * (1 + 1 / arguments.seconds)
    assert result["errors"] == 0, result
    return result


def breakwater(*command):
    return subprocess.Popen(["dotnet", str(proxy_dll), *command], env=environment, cwd=work, stdout=subprocess.DEVNULL, stderr=sys.stderr)


def warm(name, keys):
    """Begins a prefetch; gives its command, and the proxy's CPU seconds and the time when it began (the import is before)."""
    (work / f"{name}.json").write_text(json.dumps({
        "name": name, "repository": FQRN, "source": "Given", "snapshots": [""], "boots": 0, "updatedAt": "2026-01-01T00:00:00Z",
        "entries": [{"key": key} for key in keys]}))
    assert breakwater("profile", "import", FQRN, name, str(work / f"{name}.json")).wait() == 0, "the import failed"
    return breakwater("warm", FQRN, "--working-set", name), cpu_seconds(proxy.pid), time.monotonic()


try:
    count = arguments.megabytes * 1_000_000 // OBJECT_BYTES
    with tarfile.open(ROOT / f"tests/fixtures/{FQRN}.tar") as fixture, tarfile.open(work / "tree.tar", "w") as tar:
        for member in fixture:
            if member.isfile():
                tar.addfile(member, fixture.extractfile(member))
        hot_keys, first_keys, alone_keys, beside_keys = make(HOT, 1, tar), make(count // 2, 4, tar), make(count, 2, tar), make(count, 3, tar)
    (work / "hot.txt").write_text("".join(f"/cvmfs/{FQRN}/data/{k[:2]}/{k[2:]}\n" for k in hot_keys))
    upstream_port, port, admin = free_port(), free_port(), free_port()
    upstream = subprocess.Popen(["dotnet", str(storm_dll), "upstream", "--port", str(upstream_port), "--tar", str(work / "tree.tar")], stdout=subprocess.PIPE, text=True)
    processes.append(upstream)
    upstream.stdout.readline()
    environment = os.environ | {
        "Proxy__Listen__0": f"127.0.0.1:{port}", "Admin__Listen": f"127.0.0.1:{admin}", "Store__Path": str(work / "store"),
        "ReverseProxy__Clusters__bench__Destinations__s1__Address": f"http://127.0.0.1:{upstream_port}",
        f"Repositories__{FQRN}__Cluster": "bench", "Repositories__KeysDirectory": str(work / "no-keys"), "WorkingSets__Learn": "false"}
    for cluster in ("stratum1", "egi", "osg"):
        environment[f"ReverseProxy__Clusters__{cluster}__HealthCheck__Active__Enabled"] = "false"
    proxy = breakwater("serve")
    processes.append(proxy)
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert time.monotonic() < deadline and proxy.poll() is None, "the proxy does not listen"
            time.sleep(0.2)
    client = http.client.HTTPConnection("127.0.0.1", port)
    for path in (work / "hot.txt").read_text().split():
        client.request("GET", f"http://127.0.0.1:{upstream_port}{path}")
        answer = client.getresponse()
        assert answer.status == 200 and len(answer.read()) == OBJECT_BYTES, path

    most = hot()
    rate = 0.3 * most["requestsPerSecond"]
    calm = hot(rate)
    # One before, so that compiling the code of a prefetch is in no figure.
    assert warm("first", first_keys)[0].wait() == 0
    alone, before, begun = warm("alone", alone_keys)
    assert alone.wait() == 0
    prefetch_seconds, prefetch_cpu = time.monotonic() - begun, cpu_seconds(proxy.pid) - before

    started, busy_before, _ = warm("beside", beside_keys)
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
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.release()}"}))
finally:
    for process in reversed(processes):
        process.terminate()
        process.wait(20)
    shutil.rmtree(work, ignore_errors=True)
