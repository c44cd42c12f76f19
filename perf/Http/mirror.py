#!/usr/bin/python3
"""A mirror run beside storms of booting VMs: it evicts nothing of the boots, drives no VM away and makes no boot slower.

    sudo perf/Http/mirror.py --breakwater proxy/bin/Release/net10.0/breakwater [--bytes 100e9] [--rate 200] [--vms 500] [--seconds 540] [--save]

nginx serves generated files of 1 GiB (a sparse file under as many names as it takes), each of which is fetched once through Breakwater, four at a time, --rate MB a second together, until
--bytes have come or --seconds are over. All are stored as far as the share of ordinary HTTP (30 % of 8 GiB) lets them. VMs of the miniature system boot in storms, alone before and after,
and one storm after the other meanwhile. Mirror and its clients run at the lowest priority: elsewhere they have machines of their own. In a network namespace of its own. Exit 1 when an object
of the boots was evicted or asked for again, a VM went another way, gave up or had wrong bytes, or the median boot took more than 1.1 times what it took alone.

Build first: dotnet build -c Release proxy && dotnet build -c Release perf/Storm
"""
import argparse, concurrent.futures, json, os, statistics, subprocess, sys, threading, time
sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import clients, lab, saved

FQRN, FIXTURES, AT_ONCE, ADMIN = "minios.example.org", lab.ROOT / "perf/Laboratory/fixtures", 4, 3129
LOWEST = ["nice", "-n", "19"]


class Mirror:
    """Files of 1 GiB without end, and clients that fetch each once."""

    def __init__(self, folder, rate, most):
        self.bytes, self.most, self.ends, self.lock, self.number, self.wrong = 0, most, threading.Event(), threading.Lock(), 0, []
        root = os.path.join(folder, "www")
        os.makedirs(root)
        with open(os.path.join(root, "sparse"), "wb") as f:
            f.truncate(1 << 30)
        conf = os.path.join(folder, "nginx.conf")
        with open(conf, "w") as f:
            f.write(f"""daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{clients.MIRROR}; root {root}; add_header Cache-Control max-age=86400; limit_rate {rate * 1000 // AT_ONCE}k; location /mirror/ {{ try_files /sparse =404; }} }}
}}
""")
        self.process = subprocess.Popen([*LOWEST, "/usr/sbin/nginx", "-c", conf], stderr=subprocess.DEVNULL)
        clients.wait_for(clients.MIRROR)

    def fetch(self):
        while not self.ends.is_set() and self.bytes < self.most:
            with self.lock:
                self.number += 1
                url = f"http://{clients.NAME}:{clients.MIRROR}/mirror/{self.number}"
            process = subprocess.Popen([*LOWEST, "curl", "-s", "-x", f"127.0.0.1:{clients.PROXY}", "-o", "/dev/null", "-w", "%{http_code} %{size_download}", url], stdout=subprocess.PIPE, text=True)
            while process.poll() is None and not self.ends.wait(0.2):
                pass
            if process.poll() is None:
                process.terminate()  # time is over: what this one had is not counted
            else:
                status, size = process.communicate()[0].split()
                with self.lock:
                    self.bytes += int(size)
                    if (status, size) != ("200", str(1 << 30)):
                        self.wrong.append((url, status, size))


def start(breakwater, folder, upstream):
    settings = os.path.join(folder, "settings.json")
    with open(settings, "w") as f:
        json.dump({
            "Proxy": {"Listen": [f"127.0.0.1:{clients.PROXY}"]}, "Admin": {"Listen": f"127.0.0.1:{ADMIN}"}, "Logging": {"LogLevel": {"Default": "Warning"}},
            "Access": {"Destinations": [f"{clients.NAME}:*"], "AllowedUpstreams": ["127.0.0.1/32"]},
            "Store": {"Path": os.path.join(folder, "store"), "QuotaBytes": 8 << 30, "MinFreeBytes": 0},
            "Repositories": {FQRN: {"Cluster": "lab"}},
            "ReverseProxy": {"Clusters": {"lab": {"Destinations": {"1": {"Address": f"http://127.0.0.1:{upstream}/"}}},
                                          **{c: {"HealthCheck": {"Active": {"Enabled": False}}} for c in ("stratum1", "egi", "osg")}}},
        }, f)
    process = subprocess.Popen([breakwater, "serve", "--settings", settings])
    clients.wait_for(clients.PROXY)
    return process


class Measured:
    def __init__(self, vms, upstream):
        self.vms, self.upstream, self.bad = vms, upstream, []

    def storm(self):
        """The median boot in ms."""
        got = lab.storm("boot", "--vms", self.vms, "--trace", FIXTURES / "minios/boot-requests.v1.txt", "--proxy", f"127.0.0.1:{clients.PROXY}", "--host", f"127.0.0.1:{self.upstream}")
        if got["finished"] != self.vms or got["gaveUp"] or got["exiles"] or got["wrongBodies"]:
            self.bad.append({name: got[name] for name in ("finished", "gaveUp", "exiles", "wrongBodies", "failures")})
        return got["boot"]["p50Ms"]

    def asked(self):
        """How often an object was asked for that had been asked for before; a new revision's are prefetched, once."""
        counters = json.loads(lab.get(self.upstream, "/_control/counters")[1])
        return counters["objectRequests"] - counters["distinctObjects"]


def store():
    """What the store says of itself: objects of CernVM-FS that were evicted, and slices of bodies."""
    ask = lambda path: json.loads(lab.get(ADMIN, f"/api/v1/{path}")[1])
    return ask("store")["evictedObjects"], ask("http")["evictedSlices"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--breakwater", required=True)
    parser.add_argument("--bytes", type=float, default=100e9)
    parser.add_argument("--rate", type=int, default=200, help="MB a second of all four together")
    parser.add_argument("--vms", type=int, default=500)
    parser.add_argument("--storms", type=int, default=5, help="alone, before and after")
    parser.add_argument("--seconds", type=float, default=540, help="longest time beside the mirror")
    parser.add_argument("--save", action="store_true", help="in results/http.json")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    breakwater = os.path.abspath(options.breakwater)
    with clients.laboratory(options) as (folder, started):
        origin = subprocess.Popen(["dotnet", lab.STORM, "upstream", "--port", "0", "--tar", FIXTURES / f"{FQRN}.tar"], stdout=subprocess.PIPE, text=True)
        started.append(origin)
        upstream = int(origin.stdout.readline().rsplit(":", 1)[1])
        started.append(start(breakwater, folder, upstream))
        mirror = Mirror(folder, options.rate, options.bytes)
        started.append(mirror.process)
        measured = Measured(options.vms, upstream)
        measured.storm()  # all is stored, all code is compiled
        alone = [measured.storm() for _ in range(options.storms)]
        asked = measured.asked()
        began, beside = time.monotonic(), []
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            fetches = [pool.submit(mirror.fetch) for _ in range(AT_ONCE)]
            while not all(f.done() for f in fetches):
                beside.append(measured.storm())
                if time.monotonic() - began > options.seconds:
                    mirror.ends.set()
                time.sleep(1)
        seconds = time.monotonic() - began
        again = [measured.storm() for _ in range(options.storms)]
        evicted, slices = store()
        median = statistics.median
        figures = {"vms": options.vms, "mirrorBytes": mirror.bytes, "seconds": round(seconds), "storms": len(beside), "evictedObjects": evicted, "evictedSlices": slices,
                   "objectsAskedAgain": measured.asked() - asked, "badStorms": measured.bad, "badFiles": mirror.wrong[:5],
                   "medianBootMsAlone": round(median(alone + again), 1), "medianBootMsBeside": round(median(beside), 1), "ratio": round(median(beside) / median(alone + again), 3), "goal": 1.1,
                   "alone": alone + again, "beside": beside}
        print(json.dumps(figures))
        if options.save:
            saved.save("mirror", breakwater, **figures)
        return 1 if evicted or figures["objectsAskedAgain"] or measured.bad or mirror.wrong or figures["ratio"] > 1.1 else 0


if __name__ == "__main__":
    sys.exit(main())
