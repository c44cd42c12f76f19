#!/usr/bin/env python3
"""The first VM of a new revision beside fully warm boots of the same revision, in one run, with the Stratum 1 some milliseconds away.

A round: VMs boot revision 1, the proxy learns what they read and is warmed up; revision 2 is published, the proxy fetches its working set; one VM boots it,
and then more do. Each round has a proxy and a store of its own. Ratio: median of the first boots to the median of the warm ones of revision 2. Goal: at
most 1.1, and no object request upstream by a first VM. Prints one line of JSON; a round takes about two minutes.

Build first: dotnet build -c Release proxy && dotnet build -c Release perf/Storm
usage: perf/first-boot.py [--rtt-ms 30] [--warm-boots 9] [--rounds 3] | tee perf/results/first-boot.json
"""
import argparse, json, os, shutil, statistics, subprocess, time

from lab import Lab, MACHINE, ROOT, get, ready, storm

FQRN = "minios.example.org"
MANIFEST = f"/cvmfs/{FQRN}/.cvmfspublished"
FIXTURES = ROOT / "perf/Laboratory/fixtures"
parser = argparse.ArgumentParser()
parser.add_argument("--rtt-ms", type=float, default=30)
parser.add_argument("--warm-boots", type=int, default=9)
parser.add_argument("--rounds", type=int, default=3)
arguments = parser.parse_args()


def until(what, proxy, condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline and proxy.poll() is None, what
        time.sleep(0.5)


def body(port, target):
    status, bytes = get(port, target)
    assert status == 200, (target, status, bytes)
    return bytes


def round_of_boots():
    """Gives the first boot of revision 2, the warm ones after it, the objects fetched ahead, and those that the first VM had fetched."""
    with Lab() as lab:
        published = [a for r in "12" for a in ("--alternative", f"{MANIFEST}=v{r}={FIXTURES}/minios/cvmfspublished.v{r}")]
        upstream_port = lab.upstream("--tar", FIXTURES / f"{FQRN}.tar", "--delay-ms", arguments.rtt_ms, *published)
        body(upstream_port, f"/_control/publish?path={MANIFEST}&name=v1")
        keys = lab.work / "keys"
        keys.mkdir()
        shutil.copy(FIXTURES / f"{FQRN}.pub", keys)
        proxy, port = lab.breakwater([upstream_port], FQRN, Repositories__KeysDirectory=str(keys), WorkingSets__Learn="true")
        ready(port, MANIFEST)

        def boot(revision):
            """One VM; its boot in milliseconds."""
            result = storm("boot", "--vms", 1, "--trace", FIXTURES / f"minios/boot-requests.v{revision}.txt", "--check",
                           "--proxy", f"127.0.0.1:{port}", "--host", f"127.0.0.1:{upstream_port}")
            assert result["finished"] == 1, result
            return result["boot"]["p50Ms"]

        def objects_asked():
            return json.loads(body(upstream_port, "/_control/counters"))["objectRequests"]

        def boots_learned():
            command = lab.command("profile", "export", FQRN, "boot-HEAD4", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            exported, _ = command.communicate()
            return json.loads(exported)["boots"] if command.returncode == 0 else 0

        for _ in range(3):
            boot(1)
        until("it has not learned", proxy, lambda: boots_learned() == 3, 90)
        for _ in range(arguments.warm_boots):
            boot(1)
        before = objects_asked()
        body(upstream_port, f"/_control/publish?path={MANIFEST}&name=v2")
        second = (FIXTURES / "minios/cvmfspublished.v2").read_bytes()
        until("revision 2 is not shown", proxy, lambda: body(port, f"http://127.0.0.1:{upstream_port}{MANIFEST}") == second, 150)
        ahead = objects_asked() - before

        first = boot(2)
        asked = objects_asked() - before - ahead
        return first, [boot(2) for _ in range(arguments.warm_boots)], ahead, asked


rounds = [round_of_boots() for _ in range(arguments.rounds)]
firsts, warm = [r[0] for r in rounds], [boots for r in rounds for boots in r[1]]
print(json.dumps({
    "benchmark": "first-boot", "rttMs": arguments.rtt_ms, "firstOfRevisionMs": firsts, "warmMs": statistics.median(warm), "warmRuns": warm,
    "ratio": round(statistics.median(firsts) / statistics.median(warm), 3), "goal": 1.1,
    "fetchedAhead": [r[2] for r in rounds], "upstreamObjectRequestsOfFirst": [r[3] for r in rounds],
    "machine": f"{MACHINE}, load average {os.getloadavg()[0]:.1f}"}))
