#!/usr/bin/python3
"""300 slow readers of external files change no first byte of a miss.

    sudo perf/Http/slow_readers.py --breakwater proxy/bin/Release/net10.0/breakwater [--readers 300] [--misses 300] [--save]

A Stratum 1 of Python gives objects and external files of 4 MiB. First bytes of misses are measured alone, then while the readers, each with a file of its own, have read the head and no
more. In a network namespace of its own. Exit 1 when an answer is wrong, or the median or 99th percentile of the first byte is more than twice what it was and 20 ms more.
"""
import argparse, asyncio, hashlib, json, os, socket, statistics, subprocess, sys, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import clients, saved

STRATUM1, FQRN, FILE = 8091, "slow.example.org", os.urandom(4 << 20)


def thing(number):
    data = hashlib.sha256(str(number).encode()).digest() * 500
    name = hashlib.sha1(data).hexdigest()
    return f"/cvmfs/{FQRN}/data/{name[:2]}/{name[2:]}", data


class Stratum1:
    def __init__(self):
        self.objects, self.files = {}, 0

    async def serve(self, reader, writer):
        try:
            while True:
                path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
                data = self.objects.get(path) if "/data/" in path else FILE
                self.files += data is FILE
                writer.write(f"HTTP/1.1 {200 if data else 404} X\r\nContent-Length: {len(data or b'')}\r\nETag: \"{len(data or b'')}\"\r\n\r\n".encode() + (data or b""))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def first_byte(path, data):
    reader, writer = await asyncio.open_connection("127.0.0.1", clients.PROXY)
    began = time.perf_counter()
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    first = await reader.read(1)
    took = time.perf_counter() - began
    whole = first + await reader.read()
    writer.close()
    if whole.split(b"\r\n\r\n", 1)[1] != data:
        raise SystemExit(f"{path}: wrong bytes")
    return took * 1000


async def misses(stratum1, begin, count):
    took = []
    for number in range(begin, begin + count):
        path, data = thing(number)
        stratum1.objects[path] = data
        took.append(await first_byte(path, data))
    return statistics.median(took), sorted(took)[int(len(took) * 0.99)]


def reader(number):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", clients.PROXY))
    s.sendall(f"GET /cvmfs/{FQRN}/store/file-{number} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    s.settimeout(60)
    head = b""
    while b"\r\n\r\n" not in head:
        head += s.recv(64)
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"a reader got {head[:60]}")
    return s


async def run(options):
    stratum1 = Stratum1()
    server = await asyncio.start_server(stratum1.serve, "127.0.0.1", STRATUM1, backlog=1000)
    await misses(stratum1, 0, 100)  # all code is compiled
    alone = await misses(stratum1, 1000, options.misses)
    sockets = [await asyncio.to_thread(reader, number) for number in range(options.readers)]
    beside = await misses(stratum1, 5000, options.misses)
    print(f"first byte of a miss, median and p99: {alone[0]:.2f} and {alone[1]:.2f} ms alone, {beside[0]:.2f} and {beside[1]:.2f} ms beside {options.readers} readers that stand still; "
          f"{stratum1.files} files were asked of the Stratum 1")
    for s in sockets:
        s.close()
    server.close()
    if options.save:
        figures = lambda pair: {"median": round(pair[0], 2), "p99": round(pair[1], 2)}
        saved.save("slow_readers", os.path.abspath(options.breakwater), readers=options.readers, misses=options.misses, firstByteMsAlone=figures(alone), firstByteMsBeside=figures(beside))
    return 1 if any(b > 2 * a and b > a + 20 for a, b in zip(alone, beside)) else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--breakwater", required=True)
    parser.add_argument("--readers", type=int, default=300)
    parser.add_argument("--misses", type=int, default=300)
    parser.add_argument("--save", action="store_true", help="in results/http.json")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    with clients.laboratory(options) as (folder, started):
        settings = os.path.join(folder, "settings.json")
        with open(settings, "w") as f:
            json.dump({
                "Proxy": {"Listen": [f"127.0.0.1:{clients.PROXY}"]}, "Admin": {"Listen": ""}, "Logging": {"LogLevel": {"Default": "Warning"}},
                "Store": {"Path": os.path.join(folder, "store"), "QuotaBytes": 8 << 30, "MinFreeBytes": 0},
                "Repositories": {FQRN: {"Cluster": "lab"}},
                "ReverseProxy": {"Clusters": {"lab": {"Destinations": {"1": {"Address": f"http://127.0.0.1:{STRATUM1}/"}}, "HealthCheck": {"Active": {"Enabled": False}}},
                                              **{c: {"HealthCheck": {"Active": {"Enabled": False}}} for c in ("stratum1", "egi", "osg")}}},
            }, f)
        started.append(subprocess.Popen([os.path.abspath(options.breakwater), "serve", "--settings", settings]))
        clients.wait_for(clients.PROXY)
        return asyncio.run(run(options))


if __name__ == "__main__":
    sys.exit(main())
