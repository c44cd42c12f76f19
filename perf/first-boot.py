#!/usr/bin/env python3
"""The first VM of a new revision beside fully warm boots of the same revision, in one run, with the Stratum 1 some milliseconds away.

A round: VMs boot revision 1, the proxy learns what they read and is warmed up; revision 2 is published, the proxy fetches its working set; one VM boots it,
and then more do. Each round has a proxy and a store of its own. Ratio: median of the first boots to the median of the warm ones of revision 2. Goal: at
most 1.1, and no object request upstream by a first VM. Prints one line of JSON; a round takes about two minutes.

Build first: dotnet build -c Release proxy && dotnet build -c Release perf/Storm
usage: perf/first-boot.py [--rtt-ms 30] [--warm-boots 9] [--rounds 3] | tee perf/results/first-boot.json
"""
import argparse, http.client, json, os, pathlib, platform, shutil, socket, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FQRN = "minios.example.org"
MANIFEST = f"/cvmfs/{FQRN}/.cvmfspublished"
FIXTURES = ROOT / "tests/fixtures"
parser = argparse.ArgumentParser()
parser.add_argument("--rtt-ms", type=float, default=30)
parser.add_argument("--warm-boots", type=int, default=9)
parser.add_argument("--rounds", type=int, default=3)
arguments = parser.parse_args()
proxy_dll = ROOT / "proxy/bin/Release/net10.0/breakwater.dll"
storm_dll = ROOT / "perf/Storm/bin/Release/net10.0/breakwater-storm.dll"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(port, target):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    client.request("GET", target)
    answer = client.getresponse()
    body = answer.read()
    client.close()
    assert answer.status == 200, (target, answer.status, body)
    return body


def until(what, condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline and proxy.poll() is None, what
        time.sleep(0.5)


def listens():
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def boot(revision):
    """One VM; its boot in milliseconds."""
    command = ["dotnet", storm_dll, "boot", "--vms", "1", "--trace", FIXTURES / f"minios/boot-requests.v{revision}.txt", "--check",
               "--proxy", f"127.0.0.1:{port}", "--host", f"127.0.0.1:{upstream_port}"]
    result = json.loads(subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout)
    assert result["finished"] == 1, result
    return result["boot"]["p50Ms"]


def objects_asked():
    return json.loads(get(upstream_port, "/_control/counters"))["objectRequests"]


def boots_learned():
    command = ["dotnet", str(proxy_dll), "profile", "export", FQRN, "boot-HEAD4"]
    done = subprocess.run(command, env=environment, cwd=work, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return json.loads(done.stdout)["boots"] if done.returncode == 0 else 0


def round_of_boots():
    """Gives the first boot of revision 2, the warm ones after it, the objects fetched ahead, and those that the first VM had fetched."""
    global work, processes, proxy, port, upstream_port, environment
    work, processes = pathlib.Path(tempfile.mkdtemp(prefix="first-boot.")), []
    try:
        upstream_port, port, admin = free_port(), free_port(), free_port()
        command = ["dotnet", storm_dll, "upstream", "--port", upstream_port, "--tar", FIXTURES / f"{FQRN}.tar", "--delay-ms", arguments.rtt_ms]
        for revision in "12":
            command += ["--alternative", f"{MANIFEST}=v{revision}={FIXTURES}/minios/cvmfspublished.v{revision}"]
        upstream = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        processes.append(upstream)
        upstream.stdout.readline()
        get(upstream_port, f"/_control/publish?path={MANIFEST}&name=v1")
        keys = work / "keys"
        keys.mkdir()
        shutil.copy(FIXTURES / f"{FQRN}.pub", keys)
        environment = os.environ | {
            "Proxy__Listen__0": f"127.0.0.1:{port}", "Admin__Listen": f"127.0.0.1:{admin}", "Store__Path": str(work / "store"),
            "ReverseProxy__Clusters__bench__Destinations__s1__Address": f"http://127.0.0.1:{upstream_port}",
            f"Repositories__{FQRN}__Cluster": "bench", "Repositories__KeysDirectory": str(keys)}
        for cluster in ("stratum1", "egi", "osg"):
            environment[f"ReverseProxy__Clusters__{cluster}__HealthCheck__Active__Enabled"] = "false"
        proxy = subprocess.Popen(["dotnet", str(proxy_dll), "serve"], env=environment, cwd=work, stdout=subprocess.DEVNULL, stderr=sys.stderr)
        processes.append(proxy)
        until("the proxy does not listen", listens, 60)

        for _ in range(3):
            boot(1)
        until("it has not learned", lambda: boots_learned() == 3, 90)
        for _ in range(arguments.warm_boots):
            boot(1)
        before = objects_asked()
        get(upstream_port, f"/_control/publish?path={MANIFEST}&name=v2")
        second = (FIXTURES / "minios/cvmfspublished.v2").read_bytes()
        until("revision 2 is not shown", lambda: get(port, f"http://127.0.0.1:{upstream_port}{MANIFEST}") == second, 150)
        ahead = objects_asked() - before

        first = boot(2)
        asked = objects_asked() - before - ahead
        warm = [boot(2) for _ in range(arguments.warm_boots)]
        return first, warm, ahead, asked
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(20)
        shutil.rmtree(work, ignore_errors=True)


rounds = [round_of_boots() for _ in range(arguments.rounds)]
firsts, warm = [r[0] for r in rounds], [boots for r in rounds for boots in r[1]]
print(json.dumps({
    "benchmark": "first-boot", "rttMs": arguments.rtt_ms, "firstOfRevisionMs": firsts, "warmMs": statistics.median(warm), "warmRuns": warm,
    "ratio": round(statistics.median(firsts) / statistics.median(warm), 3), "goal": 1.1,
    "fetchedAhead": [r[2] for r in rounds], "upstreamObjectRequestsOfFirst": [r[3] for r in rounds],
    "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, load average {os.getloadavg()[0]:.1f}"}))
