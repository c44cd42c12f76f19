#!/usr/bin/env python3
"""5,000 VMs in one storm: is the list of those that stopped right, and what does an open page cost?

VMs boot with an address each (127.16.0.0/12), so many at a time; some stop half-way. The page's questions must name exactly those that stopped, first, and all
5,000 by pages, each once. Then a load of hits runs in turns with the page open (status each second, boots and storms when they have changed, as the page asks) and without, in
the same process: processor time a hit, median of the rounds. Goal: at most 1.03. Prints one line of JSON; exit code 1 when a list is wrong.

Build first: dotnet build -c Release proxy && dotnet build -c Release perf/Storm
usage: perf/watched-storm.py [--vms 5000] [--stopped 15] [--rounds 5] [--seconds 6] | tee perf/results/watched-storm.json
"""
import argparse, json, random, socket, statistics, sys, threading, time

from lab import Lab, MACHINE, ROOT, cpu_seconds, free_port, get, ready, storm

FQRN = "minios.example.org"
TRACE = ROOT / "perf/Laboratory/fixtures/minios/boot-requests.v1.txt"
OBJECTS, AT_ONCE = 40, 250
parser = argparse.ArgumentParser()
parser.add_argument("--vms", type=int, default=5000)
parser.add_argument("--stopped", type=int, default=15)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--seconds", type=float, default=6)
arguments = parser.parse_args()


class Vm:
    """One connection from an address of its own; a request at a time."""

    def __init__(self, number, port, paths):
        self.address = f"127.{16 + (number >> 16)}.{(number >> 8) & 255}.{number & 255}"
        self.paths, self.socket = paths, socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(self.address, 0))
        self.file = self.socket.makefile("rb")

    def step(self):
        """Asks for the next object; False when there is none."""
        if not self.paths:
            self.socket.close()
            return False
        self.socket.sendall(f"GET {self.paths.pop(0)} HTTP/1.1\r\nHost: s1\r\n\r\n".encode())
        status, length = int(self.file.readline().split()[1]), 0
        while (line := self.file.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        assert status == 200 and len(self.file.read(length)) == length, (self.address, status)
        return True


def boot_all(port, paths, stopped):
    """Boots go by turns, so many at once."""
    waiting = []
    numbers = list(range(1, arguments.vms + 1))
    while numbers or waiting:
        while numbers and len(waiting) < AT_ONCE:
            number = numbers.pop(0)
            waiting.append(Vm(number, port, paths[: len(paths) // 2] if number in stopped else list(paths)))
        waiting = [vm for vm in waiting if vm.step()]


def ask(admin, path):
    status, body = get(admin, f"/api/v1/{path}")
    assert status == 200, (path, status, body[:200])
    return json.loads(body)


def look(admin, known):
    """What the page asks in its turn of a second: the rest only when the status says that the boots have changed."""
    version = ask(admin, "status")["bootsVersion"]
    if version != known:
        for path in ("boots?offset=0&limit=100&sort=attention", "storms"):
            ask(admin, path)
    return version


def watch(admin, stop):
    known = None
    while not stop.wait(1):
        known = look(admin, known)


with Lab() as lab:
    upstream, admin = lab.upstream("--tar", ROOT / "perf/Laboratory/fixtures" / f"{FQRN}.tar"), free_port()
    process, port = lab.breakwater([upstream], FQRN, Admin__Listen=f"127.0.0.1:{admin}", Store__Path=str(lab.work / "store"))
    manifest = f"/cvmfs/{FQRN}/.cvmfspublished"
    ready(port, manifest)
    objects = [line.split()[-1] for line in TRACE.read_text().splitlines() if "/data/" in line]
    paths = [manifest] + list(dict.fromkeys(objects))[:OBJECTS]
    random.seed(1)
    stopped = set(random.sample(range(50, arguments.vms), arguments.stopped))
    begun = time.monotonic()
    boot_all(port, paths, stopped)
    took = time.monotonic() - begun
    time.sleep(22)  # A silence of 20 s is what tells that a VM has stopped.

    newest = ask(admin, "storms")[0]
    said = {b["client"] for b in ask(admin, "boots?state=stopped&limit=500")["boots"]}
    first = ask(admin, "boots?limit=100")["boots"]
    pages = [b["id"] for offset in range(0, arguments.vms + 500, 500) for b in ask(admin, f"boots?limit=500&offset={offset}")["boots"]]
    truth = {f"127.{16 + (n >> 16)}.{(n >> 8) & 255}.{n & 255}" for n in stopped}
    right = said == truth and {b["client"] for b in first[: len(truth)]} == truth and len(pages) == len(set(pages)) == newest["boots"] == arguments.vms

    storm("boot", "--vms", 2, "--trace", TRACE, "--proxy", f"127.0.0.1:{port}", "--host", f"127.0.0.1:{upstream}")
    for _ in range(100):  # What answers the page is compiled anew when it was asked for often: once in a process's life, and not in the rounds.
        look(admin, None)
    lab.hot(TRACE, port, upstream, arguments.seconds, 64)
    cost = {"watched": [], "alone": []}
    for turn in range(arguments.rounds * 2):
        kind, stop = ("watched", "alone")[(turn + turn // 2) % 2], threading.Event()
        watcher = threading.Thread(target=watch, args=[admin, stop])
        hits, cpu = ask(admin, "status")["requests"], cpu_seconds(process.pid)
        if kind == "watched":
            watcher.start()
        lab.hot(TRACE, port, upstream, arguments.seconds, 64)
        stop.set()
        if watcher.is_alive():
            watcher.join()
        cpu = cpu_seconds(process.pid) - cpu
        time.sleep(1)
        cost[kind].append(round(cpu / (ask(admin, "status")["requests"] - hits) * 1e6, 3))
    ratio = statistics.median(cost["watched"]) / statistics.median(cost["alone"])
    print(json.dumps({"benchmark": "watched-storm", "vms": arguments.vms, "stormSeconds": round(took, 1), "stopped": sorted(truth), "said": sorted(said), "listsAreRight": right,
                      "storm": newest, "usPerHit": cost, "ratio": round(ratio, 4), "goal": 1.03, "machine": MACHINE, "measured": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}))
    sys.exit(0 if right else 1)
