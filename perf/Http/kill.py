#!/usr/bin/python3
"""Kills Breakwater under a load of ordinary HTTP and starts it again on the same store: nothing wrong and nothing incomplete is served, whatever was lost.

    sudo perf/Http/kill.py --breakwater proxy/bin/Release/net10.0/breakwater [--rounds 20] [--save]

The origin makes each body from its URL and generation; a body that is not of one generation, or not whole though its framing was, is the end. Loopback only.
"""
import argparse, hashlib, http.client, http.server, json, os, random, shutil, signal, socket, subprocess, sys, tempfile, threading, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import saved

PROXY, ORIGIN, NAME, FILES = 3128, 8080, "origin.test", 120
SIZES = [300, 20_000, 1 << 20, (1 << 20) + 1, 3_500_000]
generation = [0] * FILES


def body(number, made):
    size = SIZES[number % len(SIZES)]
    block = hashlib.sha512(f"{number} {made}".encode()).digest() * 1024
    return (block * (size // len(block) + 1))[:size]


class Origin(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        number = int(self.path.split("/")[-1])
        made = generation[number]
        tag, data = f'"{number}-{made}"', body(number, made)
        first, last = 0, len(data) - 1
        status = 200
        if self.headers.get("If-None-Match") == tag:
            status = 304
        elif (span := self.headers.get("Range")) and self.headers.get("If-Range") in (None, tag) and number % 2 == 0:
            status, (a, b) = 206, span[6:].split("-")
            first, last = int(a), min(last, int(b) if b else last)
        self.send_response(status)
        if number % 3:
            self.send_header("ETag", tag)
        self.send_header("Cache-Control", "max-age=3600" if number % 4 else "max-age=0")
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        if status != 304:
            self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        if status != 304:
            self.wfile.write(data[first:last + 1])

    def log_message(self, *_):
        pass


def start(breakwater, settings):
    process = subprocess.Popen([breakwater, "serve", "--settings", settings], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", PROXY), 1).close()
            return process
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the proxy does not start")


def ask(connection, number, headers):
    connection.request("GET", f"http://{NAME}:{ORIGIN}/{number}", headers=headers)
    answer = connection.getresponse()
    how, data = answer.getheader("Cache-Status") or "", b""
    try:
        while piece := answer.read(65_536):
            data += piece
    except (OSError, http.client.HTTPException) as e:
        raise OSError(f"{answer.status}, {how}, {len(data)} of {answer.getheader('Content-Length')} bytes: {e!r}") from e
    if answer.length:
        raise OSError(f"{answer.status}, {how}, {len(data)} of {answer.getheader('Content-Length')} bytes")
    return answer.status, answer.getheader("Content-Range"), how, data


def check(number, status, part, data, wrong):
    for made in range(generation[number] + 1):
        whole = body(number, made)
        if status == 200 and data == whole:
            return
        if status == 206:
            first, last = part.split(" ")[1].split("/")[0].split("-")
            if data == whole[int(first):int(last) + 1]:
                return
    if status not in (502, 504):
        wrong.append(f"{number}: status {status}, {len(data)} bytes of none of its generations")


def load(stop, wrong, counts):
    pick = random.Random()
    connection = http.client.HTTPConnection("127.0.0.1", PROXY, timeout=20)
    while not stop.is_set():
        number = pick.randrange(FILES)
        if pick.random() < 0.02:
            generation[number] += 1
        headers = {"Range": f"bytes={pick.randrange(200)}-{pick.randrange(200, 250)}"} if pick.random() < 0.2 else {}
        try:
            status, part, _, data = ask(connection, number, headers)
            check(number, status, part, data, wrong)
            counts[0] += 1
        except (OSError, http.client.HTTPException):
            connection.close()  # killed
            connection = http.client.HTTPConnection("127.0.0.1", PROXY, timeout=20)
            time.sleep(0.02)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--breakwater", required=True)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--save", action="store_true", help="in results/http.json")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.inside:
        os.execvp("unshare", ["unshare", "-n", "-m", sys.executable, os.path.abspath(__file__), *sys.argv[1:], "--inside"])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    folder = tempfile.mkdtemp(prefix="breakwater-kill-")
    hosts, settings = os.path.join(folder, "hosts"), os.path.join(folder, "settings.json")
    with open(hosts, "w") as f:
        f.write(f"127.0.0.1 localhost {NAME}\n")
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    with open(settings, "w") as f:
        json.dump({
            "Proxy": {"Listen": [f"127.0.0.1:{PROXY}"]},
            "Access": {"Destinations": [f"{NAME}:*"], "AllowedUpstreams": ["127.0.0.1/32"]},
            "Store": {"Path": os.path.join(folder, "store"), "QuotaBytes": 400 << 20, "MinFreeBytes": 0},
            "Http": {"QuotaShare": 0.5}, "Admin": {"Listen": ""}, "Logging": {"LogLevel": {"Default": "Error"}},
            "ReverseProxy": {"Clusters": {c: {"HealthCheck": {"Active": {"Enabled": "false"}}} for c in ("stratum1", "egi", "osg")}},
        }, f)
    origin = http.server.ThreadingHTTPServer(("127.0.0.1", ORIGIN), Origin)
    origin.daemon_threads = True
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    wrong, counts, kept, process = [], [0], 0, None
    try:
        for turn in range(options.rounds):
            process = start(os.path.abspath(options.breakwater), settings)
            if turn:  # what the killed one left
                connection = http.client.HTTPConnection("127.0.0.1", PROXY, timeout=20)
                for number in range(FILES):
                    try:
                        status, part, how, data = ask(connection, number, {})
                    except (OSError, http.client.HTTPException) as e:
                        wrong.append(f"{number}: cut off after a restart: {e!r}")
                        connection.close()
                        continue
                    check(number, status, part, data, wrong)
                    kept += "hit" in how
            stop = threading.Event()
            clients = [threading.Thread(target=load, args=(stop, wrong, counts), daemon=True) for _ in range(16)]
            for client in clients:
                client.start()
            time.sleep(random.uniform(0.5, 2.5))
            process.kill()
            process.wait()
            stop.set()
            for client in clients:
                client.join(30)
            print(f"round {turn + 1}: {counts[0]} requests, {kept} hits after a start", flush=True)
            if wrong:
                break
        print(f"{options.rounds} rounds, {counts[0]} requests under load, {kept} hits of what was stored before a kill, {len(wrong)} wrong: {wrong[:5]}")
        if options.save:
            saved.save("kill", os.path.abspath(options.breakwater), rounds=options.rounds, requestsUnderLoad=counts[0], hitsOfWhatWasStoredBefore=kept, wrong=len(wrong))
        return 1 if wrong or not kept else 0
    finally:
        if process and process.poll() is None:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
