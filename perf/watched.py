#!/usr/bin/env python3
"""What it costs to watch: processor time of the proxy per hit, with the page open and the metrics scraped, and with the access log on, against neither.

One proxy of each kind, on stores of their own with the same objects; loads of hits take turns, and the kinds change their order from round to round. A
kind's figure is the median of its rounds. The page is played by what it asks (status, boots and storms each second, its other rooms every five); the scrape is
/metrics each second, fifteen times as often as Prometheus by default. Goals: watched at most 1.03, logged at most 1.1. Without --seconds and --rounds it
takes about four minutes. Prints one line of JSON.

Build first: dotnet build -c Release proxy && dotnet build -c Release perf/Storm
usage: perf/watched.py [--rounds 7] [--seconds 8] [--connections 64] | tee perf/results/watched.json
"""
import argparse, json, os, pathlib, statistics, subprocess, threading, time

from lab import Lab, MACHINE, PROXY, ROOT, cpu_seconds, free_port, get, ready, storm

FQRN = "minios.example.org"
FIXTURES = ROOT / "perf/Laboratory/fixtures"
TRACE = FIXTURES / "minios/boot-requests.v1.txt"
TICKS = os.sysconf("SC_CLK_TCK")
parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=7)
parser.add_argument("--seconds", type=float, default=8)
parser.add_argument("--connections", type=int, default=64)
arguments = parser.parse_args()


def busy():
    """Seconds of all processors that were not idle, and those of this tree of processes are in it."""
    fields = [int(x) for x in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return (sum(fields[:8]) - fields[3] - fields[4]) / TICKS


class Proxy:
    def __init__(self, lab, kind, upstream_port):
        self.kind, self.admin, self.rounds = kind, free_port(), []
        logged = {"AccessLog__Path": str(lab.work / "access.log")} if kind == "logged" else {}
        self.process, self.port = lab.breakwater([upstream_port], FQRN, kind, Admin__Listen=f"127.0.0.1:{self.admin}", WorkingSets__Learn="true", **logged)
        ready(self.port, f"/cvmfs/{FQRN}/.cvmfspublished")

    def requests(self):
        return json.loads(get(self.admin, "/api/v1/status")[1])["requests"]

    def watch(self, stop):
        """The page's requests and the scrape, until told to stop."""
        reads = [p.strip("/") for p in json.loads(get(self.admin, "/api/v1/status")[1])["reads"] if "{" not in p]
        rooms, turn = [p for p in reads if p not in ("status", "boots", "storms", "history", "store/objects", "seeds/bootable", "http/stored", "pins")], 0
        while not stop.wait(1):
            for path in ["/api/v1/status", "/api/v1/boots?limit=100", "/api/v1/storms", "/metrics"] + ([f"/api/v1/{p}" for p in rooms] if turn % 5 == 0 else []):
                status, body = get(self.admin, path)
                assert status == 200, (path, status, body[:200])
            turn += 1

    def measure(self, lab, upstream_port):
        stop = threading.Event()
        watcher = threading.Thread(target=self.watch, args=[stop])
        requests, cpu, all_busy, begun = self.requests(), cpu_seconds(self.process.pid), busy(), time.monotonic()
        if self.kind == "watched":
            watcher.start()
        lab.hot(TRACE, self.port, upstream_port, arguments.seconds, arguments.connections)
        stop.set()
        if watcher.is_alive():
            watcher.join()
        cpu = cpu_seconds(self.process.pid) - cpu
        time.sleep(1)  # The recorder's pump counts what the last requests were.
        hits = self.requests() - requests
        self.rounds.append({"usPerHit": round(cpu / hits * 1e6, 3), "hits": hits, "busyCores": round((busy() - all_busy) / (time.monotonic() - begun), 2)})


with Lab() as lab:
    upstream_port = lab.upstream("--tar", FIXTURES / f"{FQRN}.tar")
    proxies = [Proxy(lab, kind, upstream_port) for kind in ("neither", "watched", "logged")]
    for proxy in proxies:  # All hits from here on, and compiled for it.
        storm("boot", "--vms", 2, "--trace", TRACE, "--proxy", f"127.0.0.1:{proxy.port}", "--host", f"127.0.0.1:{upstream_port}")
        proxy.measure(lab, upstream_port)
        proxy.rounds.clear()
    for turn in range(arguments.rounds):
        for i in range(len(proxies)):
            proxies[(turn + i) % len(proxies)].measure(lab, upstream_port)
    median = {p.kind: statistics.median(r["usPerHit"] for r in p.rounds) for p in proxies}
    lines = sum(1 for path in lab.work.glob("access.log*") for _ in open(path, "rb"))
    assert lines > 0, "the access log is empty"
    print(json.dumps({
        "benchmark": "watched", "usPerHit": median, "goals": {"watched": 1.03, "logged": 1.1},
        "ratios": {kind: round(median[kind] / median["neither"], 4) for kind in ("watched", "logged")},
        "rounds": {p.kind: p.rounds for p in proxies}, "connections": arguments.connections, "secondsEach": arguments.seconds, "accessLogLines": lines,
        "version": subprocess.run(["dotnet", str(PROXY), "--version"], capture_output=True, text=True).stdout.strip(),
        "machine": MACHINE, "measured": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}))
