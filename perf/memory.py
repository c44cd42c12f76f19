#!/usr/bin/env python3
"""Memory of the proxy where it could go wrong: one object of 1 GiB, 500 slow followers of one fetch of 16 MiB, and an idle server with a filled store.

Prints one line of JSON; takes about two minutes, 3 GB of disk and 1 GB of memory. Resident memory counts pages of mapped segment files, which the kernel takes
back at will; anonymous memory is the process's own.

Build first: dotnet build -c Release proxy && dotnet build -c Release perf/Storm && dotnet build -c Release perf/StoreSim
usage: perf/memory.py [--only big|followers|idle] | tee perf/results/memory.json
"""
import argparse, concurrent.futures, hashlib, http.server, json, os, pathlib, random, selectors, socket, subprocess, sys, threading, time

from lab import Lab, MACHINE, ROOT, ready, warm

FQRN = "synthetic.example.org"
SIM = ROOT / "perf/StoreSim/bin/Release/net10.0/Breakwater.StoreSim.dll"
MIB = 1 << 20
FOLLOWERS = 500
parser = argparse.ArgumentParser()
parser.add_argument("--only", choices=["big", "followers", "idle"])
arguments = parser.parse_args()


class Stratum1(http.server.ThreadingHTTPServer):
    """Serves objects of a repeated block; at most so many bytes a second of each."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects, self.requests = {"/ready": (b"ready", 1, 0)}, {}  # requests: (seconds, Range) of each, by path
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def put(self, block, times=1, rate=0):
        digest = hashlib.sha1()
        for _ in range(times):
            digest.update(block)
        name = digest.hexdigest()
        path = f"/cvmfs/{FQRN}/data/{name[:2]}/{name[2:]}"
        self.objects[path] = (block, times, rate)
        return path


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for the acknowledgement of its head

    def do_GET(self):
        path = self.path[self.path.index("/cvmfs"):] if "/cvmfs" in self.path else self.path
        found = self.server.objects.get(path)
        if found is None:
            self.send_error(404)
            return
        self.server.requests.setdefault(path, []).append((round(time.monotonic(), 2), self.headers.get("Range")))
        block, times, rate = found
        self.send_response(200)
        self.send_header("Content-Length", str(len(block) * times))
        self.end_headers()
        for _ in range(times):
            for at in range(0, len(block), MIB):
                self.wfile.write(block[at:at + MIB])
                if rate:
                    time.sleep(MIB / rate)

    def log_message(self, *_):
        pass


def status(pid):
    fields = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return {name: int(fields[name].split()[0]) // 1024 for name in ("VmRSS", "RssAnon", "RssFile", "VmHWM")}


class Watch:
    """with Watch(pid) as watch: … then watch.peak, MiB."""

    def __init__(self, pid):
        self.pid, self.peak, self.over = pid, {"residentMiB": 0, "anonymousMiB": 0}, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def run(self):
        while not self.over.wait(0.05):
            now = status(self.pid)
            self.peak["residentMiB"] = max(self.peak["residentMiB"], now["VmRSS"])
            self.peak["anonymousMiB"] = max(self.peak["anonymousMiB"], now["RssAnon"])

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.peak["residentMiB"] = max(self.peak["residentMiB"], status(self.pid)["VmHWM"])


def start(lab, stratum1, **settings):
    proxy, port = lab.breakwater([stratum1.server_address[1]], FQRN, **settings)
    host = f"http://127.0.0.1:{stratum1.server_address[1]}"
    first = stratum1.put(b"first")
    ready(port, host + first)
    return proxy, port, host


def big():
    """1 GiB, cold and then as a hit."""
    stratum1 = Stratum1()
    path = stratum1.put(random.Random(1).randbytes(MIB), 1024)
    with Lab() as lab:
        proxy, port, host = start(lab, stratum1, Store__QuotaBytes=str(6 << 30))
        result = {}
        for what in ("miss", "hit"):
            with Watch(proxy.pid) as watch:
                begun, length = time.monotonic(), fetch(port, host + path)
            assert length == 1 << 30, length
            result[what] = watch.peak | {"seconds": round(time.monotonic() - begun, 1)}
        return result | {"goalMiB": 600}


def fetch(port, url):
    """Reads an answer to its end; the bytes of its body."""
    buffer, length = bytearray(MIB), 0
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(f"GET {url} HTTP/1.1\r\nHost: {url.split('/')[2]}\r\nConnection: close\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += s.recv(65536)
        assert head.startswith(b"HTTP/1.1 200"), head[:200]
        length = len(head.split(b"\r\n\r\n", 1)[1])
        while n := s.recv_into(buffer):
            length += n
    return length


def followers():
    """All ask while the Stratum 1 drips the object; each reads 64 KiB now and then, at first."""
    stratum1 = Stratum1()
    size = 16 * MIB
    path = stratum1.put(random.Random(2).randbytes(size), 1, rate=4 * MIB)
    with Lab() as lab:
        proxy, port, host = start(lab, stratum1)
        with Watch(proxy.pid) as watch:
            choose, buffer, received, left = selectors.DefaultSelector(), bytearray(MIB), 0, FOLLOWERS
            for _ in range(FOLLOWERS):
                s = socket.socket()
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
                s.connect(("127.0.0.1", port))
                s.sendall(f"GET {host}{path} HTTP/1.1\r\nHost: {host[7:]}\r\nConnection: close\r\n\r\n".encode())
                choose.register(s, selectors.EVENT_READ)
            slow_until = time.monotonic() + 15
            while left:
                slow = time.monotonic() < slow_until
                for key, _ in choose.select(5):
                    n = key.fileobj.recv_into(buffer, 65536 if slow else MIB)
                    received += n
                    if n == 0:
                        choose.unregister(key.fileobj)
                        key.fileobj.close()
                        left -= 1
                if slow:
                    time.sleep(0.5)
        assert received > FOLLOWERS * size, received
        requests = stratum1.requests[path]
        if len(requests) > 1:
            print("more than one request for the object:", requests, file=sys.stderr)
        return watch.peak | {"upstreamRequests": len(requests), "goalMiB": 1024}


def idle():
    """A store with a million objects in its index, and 10,000 of 16 KiB more that were just written and read, by eight clients."""
    stratum1 = Stratum1()
    block = random.Random(3).randbytes(16 << 10)
    paths = [stratum1.put(i.to_bytes(4, "little") + block) for i in range(10_000)]
    clients = concurrent.futures.ThreadPoolExecutor(8)
    with Lab() as lab:
        subprocess.run(["dotnet", SIM, "make", "1000000", lab.work / "store"], check=True)
        proxy, port, host = start(lab, stratum1)
        for _ in range(2):
            list(clients.map(lambda i: warm(port, [host + path for path in paths[i::8]]), range(8)))
        time.sleep(20)
        now = status(proxy.pid)
        return {"objects": 1_010_000, "anonymousMiB": now["RssAnon"], "residentMiB": now["VmRSS"], "goalMiB": 250}


runs = {"big": big, "followers": followers, "idle": idle}
print(json.dumps({"benchmark": "memory (perf/memory.py)"} | {name: run() for name, run in runs.items() if arguments.only in (None, name)}
                 | {"machine": f"{MACHINE}, load average {os.getloadavg()[0]:.1f}"}))
