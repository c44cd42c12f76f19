#!/usr/bin/python3
"""Real balancers and TLS clients in front of Breakwater: does it know who asks, is whoever lies refused, is a renewed certificate noticed by nobody?

    sudo perf/Edge/edge.py --breakwater proxy/bin/Release/net10.0/breakwater [--result perf/results/edge.json]

HAProxy (send-proxy, send-proxy-v2, each with its health check), nginx stream (proxy_protocol on) and nginx http (X-Forwarded-For). Runs in a network
namespace of its own; all files are in a temporary directory. Needs: apt-get install haproxy nginx libnginx-mod-stream openssl curl. What is missing is left out and named.
Exit 1 when something is not as it should be.
"""
import argparse, hashlib, http.server, json, os, shutil, socket, ssl, subprocess, sys, tempfile, threading, time

PROXY, ADMIN, MIRROR = 3128, 9128, 8080
HAPROXY1, HAPROXY2, STREAM, FRONT = 4001, 4002, 4003, 4004
TLS, TLS_ADMIN = 3443, 9443
BALANCER, FORWARDER, REFUSED = "127.0.0.2", "127.0.0.3", "127.0.9.9"   # listed for the PROXY protocol, for X-Forwarded-For, nowhere allowed
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FAILED, DONE, MEASURED = [], [], {}


def check(holds, what):
    print(("ok    " if holds else "FAIL  ") + what, flush=True)
    DONE.append(what)
    if not holds:
        FAILED.append(what)


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Mirror(http.server.BaseHTTPRequestHandler):
    """A Stratum 1 of objects that are made up: a catalog and some files, as a boot reads them."""
    objects = {}
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.objects.get(self.path, b"")
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Client:
    """One connection from an address of its own."""

    def __init__(self, port, source, first=b""):
        self.socket = socket.socket()
        self.socket.settimeout(20)
        self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        if first:
            self.socket.sendall(first)

    def get(self, path, *fields):
        """Status of one request; 0: the connection ended without an answer."""
        try:
            self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: s1\r\n{''.join(f + chr(13) + chr(10) for f in fields)}\r\n".encode())
            answer = self.socket.makefile("rb")
            line = answer.readline()
            if not line:
                return 0
            length = 0
            while (field := answer.readline().strip()):
                if field.lower().startswith(b"content-length:"):
                    length = int(field.split(b":")[1])
            answer.read(length)
            return int(line.split()[1])
        except OSError:
            return 0

    def close(self):
        self.socket.close()


def get(port, source, path, *fields, first=b""):
    client = Client(port, source, first)
    try:
        return client.get(path, *fields)
    finally:
        client.close()


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


def start(command, *ports, **more):
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **more)
    if not until(lambda: all(listens(p) for p in ports)):
        raise SystemExit(f"nothing listens on {ports}: {' '.join(command)}")
    return process


def haproxy(folder):
    return start(["haproxy", "-db", "-q", "-f", write(os.path.join(folder, "haproxy.cfg"), f"""
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  source {BALANCER}
listen v1
  bind 127.0.0.1:{HAPROXY1}
  server s 127.0.0.1:{PROXY} send-proxy check check-send-proxy inter 500ms fall 1
listen v2
  bind 127.0.0.1:{HAPROXY2}
  server s 127.0.0.1:{PROXY} send-proxy-v2 proxy-v2-options crc32c,unique-id check check-send-proxy inter 500ms fall 1
""")], HAPROXY1, HAPROXY2)


def nginx(folder, has_stream):
    stream = f"stream {{ server {{ listen 127.0.0.1:{STREAM}; proxy_pass 127.0.0.1:{PROXY}; proxy_protocol on; proxy_bind {BALANCER}; }} }}"
    return start(["/usr/sbin/nginx", "-c", write(os.path.join(folder, "nginx.conf"), f"""daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
{"load_module /usr/lib/nginx/modules/ngx_stream_module.so;" if has_stream else ""}
events {{ worker_connections 1024; }}
{stream if has_stream else ""}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{FRONT}; location / {{ proxy_pass http://127.0.0.1:{PROXY}; proxy_bind {FORWARDER}; proxy_http_version 1.1;
            proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }} }}
}}
""")], FRONT, *([STREAM] if has_stream else []))


def breakwater(program, folder):
    settings = write(os.path.join(folder, "settings.json"), json.dumps({
        "Proxy": {"Listen": [f"127.0.0.1:{PROXY}"], "ProxyProtocol": [BALANCER + "/32"], "ForwardedFor": [FORWARDER + "/32"]},
        "Access": {"Clients": ["127.0.0.0/24"], "MaxConnectionsPerClient": 3},
        "AccessLog": {"Path": os.path.join(folder, "access.log"), "Format": "Json"},
        "Admin": {"Listen": f"127.0.0.1:{ADMIN}"},
        "Store": {"Path": os.path.join(folder, "store"), "QuotaBytes": 1 << 30, "MinFreeBytes": 0},
        "Repositories": {"*.example.org": {"Cluster": "lab"}},
        "Presets": [],
        "Logging": {"LogLevel": {"Default": "Warning"}},
        "ReverseProxy": {"Clusters": {"lab": {"Destinations": {"1": {"Address": f"http://127.0.0.1:{MIRROR}/"}}}}},
    }))
    return start([program, "serve", "--settings", settings], PROXY, ADMIN, stdout=subprocess.DEVNULL)


def lines(folder):
    with open(os.path.join(folder, "access.log")) as f:
        return [json.loads(line) for line in f if line.endswith("\n")]


def boots():
    client = socket.create_connection(("127.0.0.1", ADMIN), 10)
    client.sendall(b"GET /api/v1/boots HTTP/1.0\r\nHost: localhost\r\n\r\n")
    answer = client.makefile("rb").read()
    client.close()
    return {boot["client"] for boot in json.loads(answer.split(b"\r\n\r\n", 1)[1])["boots"]}


def names_clients(name, port, source, folder, paths, counts_connections):
    """The address behind this balancer counts: log, boots, access, connections."""
    client = Client(port, source)
    check(all(client.get(path, f"X-Forwarded-For: {REFUSED}") == 200 for path in paths), f"{name}: its client is served")
    check(until(lambda: sum(line["client"] == source for line in lines(folder)) >= len(paths)), f"{name}: the access log has {source}")
    check(until(lambda: source in boots()), f"{name}: the boot is of {source}")
    check(get(port, REFUSED, paths[0]) == 403, f"{name}: an address outside Access:Clients is refused")
    check(until(lambda: any(line["client"] == REFUSED and line["status"] == 403 for line in lines(folder))), f"{name}: the refusal is logged under {REFUSED}")
    if counts_connections:
        others = [Client(port, source) for _ in range(2)]
        check(all(other.get(paths[0]) == 200 for other in others), f"{name}: three connections of one client")
        check(get(port, source, paths[0]) == 0, f"{name}: its fourth is closed")
        check(get(port, source[:-1] + "9", paths[0]) == 200, f"{name}: another client is served meanwhile")
        for other in others:
            other.close()
    client.close()


def liars(paths):
    v1, v2 = b"PROXY TCP4 127.0.0.7 127.0.0.1 1 3128\r\n", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x07\x7f\0\0\1\0\1\0\1"
    for name, header in (("v1", v1), ("v2", v2)):
        check(get(PROXY, "127.0.0.1", paths[0], first=header) == 400, f"a header of {name} from an address that is not listed is refused")
        check(get(PROXY, BALANCER, paths[0], first=header) == 200, f"the same from the balancer's is not")
    check(get(PROXY, BALANCER, paths[0]) == 400, "a connection of the balancer without a header is refused")
    check(get(PROXY, BALANCER, paths[0], first=b"PROXY TCP4 127.0.0.7\r\n") == 400, "one with half a header, too")
    check(get(PROXY, "127.0.0.1", paths[0], f"X-Forwarded-For: {REFUSED}") == 200, "X-Forwarded-For of anybody else says nothing")


def run(*command, text=None):
    return subprocess.run(command, capture_output=True, text=True, input=text, timeout=60)


def certificate(folder, name):
    """A certificate of the lab's authority for 127.0.0.1, in the files of the settings."""
    ca, key, request, made = (os.path.join(folder, n) for n in ("ca", "new.key", "new.csr", "new.pem"))
    if not os.path.exists(ca + ".pem"):
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", ca + ".key", "-out", ca + ".pem", "-subj", "/CN=lab", "-days", "30")
    extensions = write(os.path.join(folder, "new.ext"), "subjectAltName=IP:127.0.0.1")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={name}")
    run("openssl", "x509", "-req", "-in", request, "-CA", ca + ".pem", "-CAkey", ca + ".key", "-CAcreateserial", "-days", "20", "-out", made, "-extfile", extensions)
    os.rename(made, os.path.join(folder, "tls.pem"))
    os.rename(key, os.path.join(folder, "tls.key"))


def tls(program, folder, paths):
    """openssl, curl, and certificates that are renewed while clients ask without a pause."""
    certificate(folder, "first")
    write(os.path.join(folder, "tls.json"), json.dumps({
        "Proxy": {"Listen": ["127.0.0.1:3129"], "TlsListen": [f"127.0.0.1:{TLS}"], "TlsCertificate": folder + "/tls.pem", "TlsKey": folder + "/tls.key"},
        "Access": {"Connect": [f"127.0.0.1:{MIRROR}"], "AllowedUpstreams": ["127.0.0.1/32"]},
        "Admin": {"Listen": f"127.0.0.1:{TLS_ADMIN}", "TlsCertificate": folder + "/tls.pem", "TlsKey": folder + "/tls.key"},
        "Store": {"Path": os.path.join(folder, "store-tls"), "QuotaBytes": 1 << 30, "MinFreeBytes": 0},
        "Repositories": {"*.example.org": {"Cluster": "lab"}},
        "Presets": [],
        "Logging": {"LogLevel": {"Default": "Error"}},
        "ReverseProxy": {"Clusters": {"lab": {"Destinations": {"1": {"Address": f"http://127.0.0.1:{MIRROR}/"}}}}},
    }))
    process = start([program, "serve", "--settings", os.path.join(folder, "tls.json")], TLS, TLS_ADMIN, stdout=subprocess.DEVNULL)
    url, authority = f"http://127.0.0.1:{MIRROR}{paths[0]}", os.path.join(folder, "ca.pem")
    try:
        for version in ("-tls1_2", "-tls1_3"):
            said = run("openssl", "s_client", "-connect", f"127.0.0.1:{TLS}", version, "-CAfile", authority, "-alpn", "h2,http/1.1", "-verify_return_error", text="")
            check("Verify return code: 0" in said.stdout and "ALPN protocol: http/1.1" in said.stdout, f"openssl s_client {version}: verified, http/1.1")
        said = run("openssl", "s_client", "-connect", f"127.0.0.1:{TLS}", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0", text="")
        check("Cipher is (NONE)" in said.stdout or said.returncode != 0, "openssl s_client -tls1_1 is refused")
        for more, name in (([], "a request"), (["--proxytunnel"], "a tunnel")):
            said = run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--proxy", f"https://127.0.0.1:{TLS}", "--proxy-cacert", authority, *more, url)
            check(said.stdout == "200", f"curl --proxy https://: {name}")
        said = run("curl", "-sS", "--cacert", authority, f"https://127.0.0.1:{TLS_ADMIN}/healthz/live")
        check(said.stdout == "live\n", "curl https:// on the admin port")
        said = run(program, "status", "--settings", os.path.join(folder, "tls.json"))
        check(said.returncode == 0, "breakwater status finds the admin port")

        counts, failures, subjects, stop = [0, 0], [], set(), threading.Event()

        def ask(keeps):
            context = ssl.create_default_context(cafile=authority)
            connection = None
            while not stop.is_set():
                try:
                    if connection is None:
                        connection = context.wrap_socket(socket.create_connection(("127.0.0.1", TLS), 20), server_hostname="127.0.0.1")
                        subjects.add(connection.getpeercert()["subject"][0][0][1])
                    connection.sendall(f"GET {paths[0]} HTTP/1.1\r\nHost: s1\r\n\r\n".encode())
                    answer = connection.makefile("rb")
                    line = answer.readline()
                    length = 0
                    while (field := answer.readline().strip()):
                        if field.lower().startswith(b"content-length:"):
                            length = int(field.split(b":")[1])
                    if b" 200 " not in line or len(answer.read(length)) != 3000:
                        raise OSError(line)
                    counts[keeps] += 1
                    if not keeps:
                        connection.close()
                        connection = None
                except (OSError, ValueError) as e:
                    failures.append(repr(e))
                    connection = None

        threads = [threading.Thread(target=ask, args=(i % 2,)) for i in range(6)]
        for thread in threads:
            thread.start()
        shown = lambda name: until(lambda: name in subjects, 20)
        for name in ("second", "third"):
            certificate(folder, name)
            check(shown(name), f"renewed under load: new connections see '{name}'")
        shutil.copy(os.path.join(folder, "tls.key"), os.path.join(folder, "good.key"))
        write(os.path.join(folder, "tls.key"), "cut")
        refused = lambda: "tls-certificate-refused" in run("curl", "-sS", "--cacert", authority, f"https://127.0.0.1:{TLS_ADMIN}/healthz/ready").stdout
        check(until(refused, 20), "a bad renewed file is a finding")
        shutil.copy(os.path.join(folder, "good.key"), os.path.join(folder, "tls.key"))
        check(until(lambda: not refused(), 20), "it goes when the file is right")
        stop.set()
        for thread in threads:
            thread.join(30)
        check(not failures, f"no request failed meanwhile{': ' + failures[0] if failures else ''}")
        MEASURED.update(requestsOnNewConnections=counts[0], requestsOnKeptConnections=counts[1], failed=len(failures))
        print(f"      {counts[0]} requests on connections of their own, {counts[1]} on kept ones", flush=True)
    finally:
        process.terminate()
        process.wait(30)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--breakwater", required=True)
    parser.add_argument("--result")
    options = parser.parse_args()
    if not os.environ.get("EDGE_ALONE"):
        os.execvpe("unshare", ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "edge", sys.executable, *sys.argv], {**os.environ, "EDGE_ALONE": "1"})

    for i in range(12):
        body = os.urandom(3000)
        name = hashlib.sha1(body).hexdigest()
        Mirror.objects[f"/cvmfs/edge.example.org/data/{name[:2]}/{name[2:]}{'C' if i == 0 else ''}"] = body
    server = http.server.ThreadingHTTPServer(("127.0.0.1", MIRROR), Mirror)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    paths = list(Mirror.objects)
    folder = tempfile.mkdtemp(prefix="edge-")
    os.chmod(folder, 0o755)
    has_stream, left_out, processes = os.path.exists("/usr/lib/nginx/modules/ngx_stream_module.so"), [], []
    try:
        processes.append(breakwater(os.path.abspath(options.breakwater), folder))
        if shutil.which("haproxy"):
            processes.append(haproxy(folder))
            time.sleep(2)  # its health checks have judged the server by now
            names_clients("HAProxy send-proxy", HAPROXY1, "127.0.0.31", folder, paths, True)
            names_clients("HAProxy send-proxy-v2", HAPROXY2, "127.0.0.41", folder, paths, True)
        else:
            left_out.append("haproxy")
        if os.path.exists("/usr/sbin/nginx"):
            processes.append(nginx(folder, has_stream))
            if has_stream:
                names_clients("nginx stream proxy_protocol", STREAM, "127.0.0.51", folder, paths, True)
            else:
                left_out.append("libnginx-mod-stream")
            names_clients("nginx X-Forwarded-For", FRONT, "127.0.0.61", folder, paths, False)
        else:
            left_out.append("nginx")
        liars(paths)
        if shutil.which("openssl") and shutil.which("curl"):
            tls(os.path.abspath(options.breakwater), folder, paths)
        else:
            left_out.append("openssl, curl")
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(30)
        shutil.rmtree(folder)

    print(f"{len(DONE)} checks, {len(FAILED)} failed" + (f"; left out: {', '.join(left_out)}" if left_out else ""))
    if options.result:
        commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
        with open("/proc/cpuinfo") as f:
            processor = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), "?")
        write(options.result, json.dumps({
            "benchmark": "edge", "checks": DONE, "failed": FAILED, "leftOut": left_out, "renewal": MEASURED,
            "machine": f"{os.cpu_count()} x {processor}, Linux {os.uname().release}", "commit": commit,
            "measured": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        }, indent=1) + "\n")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
