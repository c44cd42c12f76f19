#!/usr/bin/env python3
"""
One cache of many machines, shown: real nodes with the settings that ship, each in a network namespace of its own, a Stratum 1 that is 30 ms away, VMs that boot as CernVM-FS clients do and
check every body. `lab.py [--save] [--vms N] [SCENARIO...]`; root, iproute2, openssl; build first: dotnet build -c Release proxy perf/Storm.
"""
import argparse, datetime, json, os, pathlib, re, signal, subprocess, sys, threading, time
from net import FAKE, HOLD, Net, ROOT, SERVE, STORM, UPSTREAM, machine_line

OBJECTS = "boot:403:13300000:0:7"     # 403 objects, median 33 KB
DELAY = 30


class Site:
    """The nodes, the Stratum 1 and the VMs of one scenario."""

    def __init__(self, net, listed=3, cluster=True, held=False, objects=OBJECTS, delay=DELAY, **settings):
        self.held = held
        self.net, self.listed, self.cluster, self.settings, self.nodes = net, listed, cluster, settings, {}
        self.trace = net.work / "trace"
        self.upstream = net.start("up", "dotnet", STORM, "upstream", "--listen", UPSTREAM, "--port", 8000, "--set", objects, "--delay-ms", delay, "--trace-out", self.trace,
                                  stdout=subprocess.PIPE)
        self.upstream.stdout.readline()

    def start(self, *numbers, fresh=True):
        for i in numbers:
            store = self.net.work / f"store{i}"
            if fresh:
                subprocess.run(["rm", "-rf", store])
            environment = os.environ | {
                "Proxy__Listen__0": "0.0.0.0:3128", "Admin__Listen": "127.0.0.1:9128", "Store__Path": str(store), "Store__QuotaBytes": "2000000000", "Presets": "",
                "Access__Clients__0": "10.101.0.0/16", "Repositories__race.example.org__Cluster": "test",
                "ReverseProxy__Clusters__test__Destinations__s1__Address": f"http://{UPSTREAM}:8000/"} | self.settings
            if self.cluster:
                environment |= {"Cluster__Name": f"n{i}", "Cluster__Listen": f"10.78.0.{i}:3129", "Cluster__Certificate": str(self.net.certificate(f"n{i}")),
                                "Cluster__TrustedCertificates": str(self.net.work / "ca.pem")}
                environment |= {f"Cluster__Nodes__{n - 1}": f"https://10.78.0.{n}:3129" for n in range(1, self.listed + 1)}
            log = open(self.net.work / f"n{i}.log", "a")
            held = ["python3", HOLD, f"10.77.0.{i}:3128"] if self.held else []
            if held:
                environment["Proxy__Listen__0"] = f"10.77.0.{i}:3128"
            self.nodes[i] = self.net.start(f"n{i}", *held, *SERVE, env=environment, stdout=log, stderr=log)
        for i in numbers:
            wait(lambda: self.view(i) is not None, 60, f"n{i} to start")

    def view(self, i):
        """What node i sees; with no cluster, whether it is there. None: it does not answer."""
        path = "cluster" if self.cluster else "status"
        try:
            return json.loads(self.net.ask(f"n{i}", "python3", "-c",
                              f"import urllib.request;print(urllib.request.urlopen('http://127.0.0.1:9128/api/v1/{path}',timeout=3).read().decode())"))
        except (subprocess.CalledProcessError, json.JSONDecodeError):
            return None

    def says(self, i):
        """How many nodes the ring has, each time that node i has said so in its log: who looks there takes no processor from it."""
        return [int(count) for count in re.findall(r"The ring has (\d+) nodes", (self.net.work / f"n{i}.log").read_text())]

    def processor_seconds(self, *numbers):
        """What these nodes' processes have used so far, and of that their threads that compile again what is used often, by thread."""
        fields = [open(f"/proc/{self.nodes[i].pid}/stat").read().rpartition(")")[2].split() for i in numbers]
        tasks = [task for i in numbers for task in pathlib.Path(f"/proc/{self.nodes[i].pid}/task").iterdir()]
        return (sum(int(f[11]) + int(f[12]) for f in fields) / os.sysconf("SC_CLK_TCK"),
                {task: int((task / "schedstat").read_text().split()[0]) / 1e9 for task in tasks if (task / "comm").read_text().startswith(".NET Tiered")})

    def ask(self, i, paths):
        """Sixteen connections ask node i for all of these, each for its part, one after the other."""
        (self.net.work / "paths").write_text("\n".join(paths))
        self.net.ask("vms", "python3", "-c", """import concurrent.futures,http.client,sys
paths=open(sys.argv[2]).read().split()
def part(i):
    c=http.client.HTTPConnection(sys.argv[1],3128)
    for path in paths[i::16]:
        c.request("GET",path);r=c.getresponse();r.read()
        assert r.status==200,(path,r.status)
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    list(pool.map(part,range(16)))""", f"10.77.0.{i}", self.net.work / "paths")

    def kill(self, i, others):
        """kill -9 of node i; after how long the others have said in their logs that it is out."""
        begun, count = time.monotonic(), len(others)
        self.signal(i, signal.SIGKILL)
        wait(lambda: all(self.says(other)[-1] == count for other in others), 60, "the killed node to be out")
        return round(time.monotonic() - begun, 2)

    def members(self, i):
        view = self.view(i)
        return view["members"] if view else 0

    def whole(self, numbers, count, seconds):
        """How long until each of these sees so many."""
        begun = time.monotonic()
        wait(lambda: all(self.members(i) == count for i in numbers), seconds, f"{count} members")
        return round(time.monotonic() - begun, 2)

    def counters(self):
        return json.loads(self.net.ask("up", "python3", "-c",
                          f"import urllib.request;print(urllib.request.urlopen('http://{UPSTREAM}:8000/_control/counters').read().decode())"))

    def reset(self):
        self.net.ask("up", "python3", "-c", f"import urllib.request;urllib.request.urlopen('http://{UPSTREAM}:8000/_control/reset').read()")

    def storm(self, vms, first, arrival="once"):
        """Begins a storm of VMs whose proxies are these nodes in turn, each with the others behind it. `ends` gives its result."""
        groups = []
        for at, _ in enumerate(first):
            order = first[at:] + first[:at]
            proxies = [part for i in order for part in ("--proxy", f"10.77.0.{i}:3128")]
            groups.append(self.net.start("vms", "dotnet", STORM, "boot", "--vms", vms // len(first), "--first-vm", 1000 * at, "--routed", "--trace", self.trace, *proxies, "--host", f"{UPSTREAM}:8000", "--check", "--arrival", arrival,
                                         "--time-limit", 200, stdout=subprocess.PIPE))
        return groups

    def ends(self, groups):
        results = [json.loads(group.communicate(timeout=240)[0]) for group in groups]
        failures = {}
        for kind, count in ((k, v) for r in results for k, v in r["failures"].items()):
            failures[kind] = failures.get(kind, 0) + count
        counted = self.counters()
        objects, distinct = counted["objectRequests"], counted["distinctObjects"]
        return {"vms": sum(r["vms"] for r in results), "finished": sum(r["finished"] for r in results), "gaveUp": sum(r["gaveUp"] for r in results),
                "exiles": sum(r["exiles"] for r in results), "wrong": sum(r["wrongBodies"] for r in results), "seconds": round(max(r["seconds"] for r in results), 2),
                "firstByteMax": round(max(r["firstByte"]["maxMs"] / 1000 for r in results), 3), "failures": failures, "upstream": objects, "distinct": distinct,
                "duplicates": round((objects - distinct) / max(1, distinct), 4)}

    def stop(self, i, how=signal.SIGTERM):
        self.signal(i, how)
        self.nodes[i].wait(60)

    def signal(self, i, how):
        # `ip netns exec` execs: the process is the node itself.
        self.nodes[i].send_signal(how)

    def end(self):
        for process in [*self.nodes.values(), self.upstream]:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate() if self.held else process.kill()
                process.wait()

    def tallies(self):
        keys = ("borrowed", "moved", "served", "hedges", "strikes", "refused")
        return {f"n{i}": {k: view[k] for k in keys} for i in self.nodes if self.nodes[i].poll() is None and (view := self.view(i))}


def wait(holds, seconds, what):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"after {seconds} s still waiting for {what}")
        time.sleep(0.1)


def cold(net, vms):
    """N VMs cold over three nodes, then warm, beside three separate proxies in the same run."""
    result = {}
    for name, cluster in (("separate", False), ("cluster", True)):
        site = Site(net, cluster=cluster)
        site.start(1, 2, 3)
        if cluster:
            result["wholeSeconds"] = site.whole((1, 2, 3), 3, 30)
        result[name] = site.ends(site.storm(vms, [1, 2, 3]))
        if cluster:
            site.reset()
            result["warm"] = site.ends(site.storm(vms, [1, 2, 3]))
            result["nodes"] = site.tallies()
        site.end()
    result["timeRatio"] = round(result["cluster"]["seconds"] / result["separate"]["seconds"], 2)
    result["passed"] = good(result["cluster"], 0.005) and good(result["warm"], 0) and result["warm"]["upstream"] == 0 and result["timeRatio"] <= 1.3
    return result


def good(storm, duplicates):
    return storm["gaveUp"] == 0 and storm["exiles"] == 0 and storm["wrong"] == 0 and storm["finished"] == storm["vms"] and storm["duplicates"] <= duplicates \
        and storm["firstByteMax"] <= 3.75


def fault(net, vms, at, first, listed=3, running=(1, 2, 3), arrival="ramp:8", before=None, held=False):
    """A storm with something that happens 3 s after it began. `at` may give facts, and a second step that is done when the storm is over."""
    site = Site(net, listed=listed, held=held)
    if before:
        before(site)
    site.start(*running)
    site.whole(running, len(running) if not before else 3, 30)
    groups = site.storm(vms, first, arrival)
    time.sleep(3)
    facts = at(site) or {}
    storm = site.ends(groups)
    then = facts.pop("then", None)
    result = {"storm": storm, **facts, **((then(site) or {}) if then else {}), "nodes": site.tallies()}
    site.end()
    result["passed"] = good(storm, 0.02) and result.get("passed", True)
    return result


def killed(net, vms):
    """kill -9 of a node: the others' clients see nothing, its own go to the next proxy; it is out at most 6 s later."""
    def at(site):
        seen = site.kill(2, (1, 3))
        return {"outSeconds": seen, "passed": seen <= 6}
    return fault(net, vms, at, [1, 3])


def stopped(net, vms):
    """SIGSTOP for 20 s of a node that has no clients: at most three requests a node wait for it at a time, then it is skipped."""
    def at(site):
        site.signal(2, signal.SIGSTOP)
        threading.Timer(20, lambda: site.signal(2, signal.SIGCONT)).start()
        return {"then": lambda site: {"backSeconds": back(site, (1, 2, 3), 3)}}
    return fault(net, vms, at, [1, 3])


def back(site, numbers, count):
    return site.whole(numbers, count, 60)


def partition(net, vms):
    """A node cut off from the others for 20 s, with clients on all: both sides serve, views are whole at most 5 s after it heals."""
    def at(site):
        site.net.cut(2)
        begun = time.monotonic()

        def then(site):
            time.sleep(max(0, 20 - (time.monotonic() - begun)))
            site.net.heal(2)
            seconds = site.whole((1, 2, 3), 3, 60)
            wait(lambda: not any(row["state"] == "skipped" for i in (1, 2, 3) for row in site.view(i)["nodes"]), 30, "nobody to be skipped")
            return {"wholeSeconds": seconds, "passed": seconds <= 5}
        return {"then": then}
    result = fault(net, vms, at, [1, 2, 3])
    # Both sides fetch what the other owns: that is no duplicate but the price of a cut.
    result["passed"] = good(result["storm"], 1) and result["wholeSeconds"] <= 5
    return result


def restarted_in_partition(net, vms):
    """The node that is listed first is restarted while it is cut off: views are whole at most 5 s after it heals."""
    site = Site(net)
    site.start(1, 2, 3)
    site.whole((1, 2, 3), 3, 30)
    site.net.cut(1)
    site.stop(1)
    site.start(1, fresh=False)
    time.sleep(20)
    seen = {f"n{i}": site.members(i) for i in (1, 2, 3)}
    site.net.heal(1)
    seconds = site.whole((1, 2, 3), 3, 60)
    storm = site.ends(site.storm(vms, [1, 2, 3]))
    site.end()
    return {"membersWhileCut": seen, "wholeSeconds": seconds, "storm": storm, "passed": seconds <= 5 and good(storm, 0.005)}


def fake(how):
    def scenario(net, vms):
        def before(site):
            log = open(net.work / "fake.log", "a")
            site.nodes[2] = net.start("n2", "python3", FAKE, "10.78.0.2", net.certificate("n2"), net.work / "ca.pem", "n2", how, stdout=log, stderr=log)
        result = fault(net, vms, lambda site: None, [1, 3], running=(1, 3), before=before)
        return result
    scenario.__doc__ = {"lie": "A node that answers probes and sends wrong bytes.", "drip": "A node that answers probes and sends 500 B/s."}[how]
    return scenario


def joins(net, vms):
    """A fourth node joins in the middle of a storm."""
    def at(site):
        site.start(4)
        return {"wholeSeconds": site.whole((1, 2, 3, 4), 4, 30)}
    return fault(net, vms, at, [1, 2, 3], listed=4)


def rolling(net, vms):
    """All three are restarted in turn in the middle of a storm; the clients' socket is held open meanwhile, as systemd's socket unit does."""
    def at(site):
        for i in (1, 2, 3):
            begun = time.monotonic()
            site.signal(i, signal.SIGHUP)
            wait(lambda: uptime(site, i) < time.monotonic() - begun, 60, f"n{i} to be a new process")
            site.whole((1, 2, 3), 3, 30)
    # Who connects while a node starts waits in the socket that is held open.
    return fault(net, vms, at, [1, 2, 3], arrival="ramp:25", held=True)


def uptime(site, i):
    """Of the process that answers; for ever, while none does."""
    try:
        path = "http://127.0.0.1:9128/api/v1/status"
        return json.loads(site.net.ask(f"n{i}", "python3", "-c", f"import urllib.request;print(urllib.request.urlopen('{path}',timeout=3).read().decode())"))["uptimeSeconds"]
    except (subprocess.CalledProcessError, json.JSONDecodeError):
        return float("inf")


def hogs(net, vms):
    """16 processor hogs, and every node's thread pool 0.7 s late for 25 s: nobody takes another for dead; then, the hogs still there, a killed node is out at most 6 s later."""
    site = Site(net, DOTNET_STARTUP_HOOKS=str(STORM))
    site.start(1, 2, 3)
    site.whole((1, 2, 3), 3, 30)
    before = {i: len(site.says(i)) for i in (1, 2, 3)}
    busy = [net.start("vms", "python3", "-c", "while True: pass") for _ in range(16)]
    for i in (1, 2, 3):
        site.signal(i, signal.SIGUSR2)
    time.sleep(26)
    least = min([3, *(count for i in (1, 2, 3) for count in site.says(i)[before[i]:])])
    out = site.kill(2, (1, 3))
    for process in busy:
        process.kill()
    site.end()
    return {"leastMembers": least, "outSeconds": out, "passed": least == 3 and out <= 6}


def cost(net, vms):
    """Processor time of what a first borrow of a 32 KB object costs both nodes together, against a miss from the Stratum 1, when both are warm: at most 1.5 times."""
    objects, warm = {"objects": "fixed:11200:32768:1", "delay": 0, "Access__Clients__1": "10.77.0.200/32"}, 9600
    shares = []
    single = Site(net, cluster=False, **objects)
    single.start(1)
    paths = [path for path in single.trace.read_text().split() if "/data/" in path]
    first, rest = paths[:warm], paths[warm:]

    def used(site, i, asked, *nodes):
        before, compiled = site.processor_seconds(*nodes)
        site.ask(i, asked)
        after, more = site.processor_seconds(*nodes)
        # Compiling again is over after a minute of load, and no part of what an object costs.
        compiling = sum(seconds - compiled.get(task, 0) for task, seconds in more.items())
        shares.append(round(compiling / (after - before), 2))
        return after - before - compiling

    single.ask(1, first)
    miss = used(single, 1, rest, 1) / len(rest)
    single.end()
    site = Site(net, listed=2, **objects)
    site.start(1, 2)
    site.whole((1, 2), 2, 30)
    site.ask(2, first)
    site.ask(1, first)
    site.ask(2, rest)
    borrowed = site.view(1)["borrowed"]
    both = used(site, 1, rest, 1, 2)
    borrowed = site.view(1)["borrowed"] - borrowed
    hit = used(site, 1, rest, 1, 2) / len(rest)
    site.end()
    borrow = (both - hit * (len(rest) - borrowed)) / borrowed
    return {"missMicroseconds": round(miss * 1e6), "borrowMicroseconds": round(borrow * 1e6), "hitMicroseconds": round(hit * 1e6), "borrowed": borrowed,
            "compilersShares": shares, "ratio": round(borrow / miss, 2), "passed": borrow <= 1.5 * miss}


def queues(net, vms):
    """Queues of two places on every node, whose owners are crossed: all end."""
    site = Site(net, Proxy__MaxConcurrentFetches="2")
    site.start(1, 2, 3)
    site.whole((1, 2, 3), 3, 30)
    storm = site.ends(site.storm(min(vms, 60), [1, 2, 3]))
    site.end()
    return {"storm": storm, "passed": good(storm, 0.005)}


SCENARIOS = {"cold": cold, "killed": killed, "stopped": stopped, "partition": partition, "restarted-in-partition": restarted_in_partition, "lies": fake("lie"), "drips": fake("drip"),
             "joins": joins, "rolling": rolling, "hogs": hogs, "queues": queues, "cost": cost}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", choices=[[], *SCENARIOS])
    parser.add_argument("--vms", type=int, default=600, help="of the cold storm; the others have 0.3 of it")
    parser.add_argument("--save", action="store_true", help="writes results/cluster.json")
    given = parser.parse_args()
    file = ROOT / "perf/results/cluster.json"
    saved = json.loads(file.read_text()) if file.exists() else {}
    failed = []
    for name in given.scenarios or SCENARIOS:
        vms = given.vms if name == "cold" else int(given.vms * 0.3) // 6 * 6
        begun = time.monotonic()
        try:
            with Net(4 if name == "joins" else 3) as net:
                result = SCENARIOS[name](net, vms)
        except (TimeoutError, subprocess.TimeoutExpired) as e:
            result = {"passed": False, "error": str(e)}
        result["tookSeconds"] = round(time.monotonic() - begun)
        print(json.dumps({name: result}, indent=1), flush=True)
        if not result["passed"]:
            failed.append(name)
        saved[name] = {"what": SCENARIOS[name].__doc__, **result}
    if given.save:
        saved["machine"] = machine_line()
        saved["commit"] = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
        saved["at"] = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        file.write_text(json.dumps(saved, indent=1) + "\n")
    sys.exit(f"not as it should be: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
