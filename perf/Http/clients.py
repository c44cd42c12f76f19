#!/usr/bin/python3
"""Real clients, each twice through Breakwater against a local mirror (nginx): hashes equal, and what the second run asks of the mirror.

    sudo perf/Http/clients.py --breakwater proxy/bin/Release/net10.0/breakwater [--only apt,aria2] [--big BYTES] [--save]

Runs in a network namespace of its own; all files are in a temporary directory. Needs nginx, curl, wget, aria2, apt, dpkg-deb, dnf, zypper, rpmbuild, createrepo_c, pip and skopeo; what is missing is left out and named.
Exit 1 when a hash differs or a second run asked for more than it must. --save writes results/http.json.
"""
import argparse, collections, concurrent.futures, contextlib, gzip, hashlib, http.client, json, os, shutil, signal, socket, subprocess, sys, tempfile, threading, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import packagers, saved

PROXY, MIRROR, NAME = 3128, 8080, "mirror.test"


class Mirror:
    """nginx on the loopback, whose log tells what was asked of it."""

    def __init__(self, folder):
        self.root, self.log = os.path.join(folder, "www"), os.path.join(folder, "mirror.log")
        os.makedirs(self.root)
        conf = os.path.join(folder, "nginx.conf")
        with open(conf, "w") as f:
            f.write(f"""daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 4096; }}
http {{
  log_format asked '$request_method $request_uri $status $body_bytes_sent "$http_range" "$http_if_none_match$http_if_modified_since"';
  access_log {self.log} asked; sendfile on; keepalive_requests 100000;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  map $http_if_none_match $lifetime {{ "" 1; default 600; }}
  limit_req_zone $uri zone=checks:1m rate=15r/m;
  server {{ listen 127.0.0.1:{MIRROR} backlog=4096; root {self.root};
            location /private/ {{ add_header Cache-Control private; limit_rate 200k; }}
            location /slow/ {{ limit_rate 4m; }}
            # Fresh for a second; the check comes after some seconds, so that all wait for it, and says ten minutes.
            location /stale/ {{ add_header Cache-Control "max-age=$lifetime"; limit_req zone=checks burst=2000; }} }}
}}
""")
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-c", conf], stderr=subprocess.DEVNULL)
        wait_for(MIRROR)
        self.seen = 0

    def put(self, name, data):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "wb") as f:
            f.write(data)
        os.rename(path + ".new", path)
        old = time.time() - 864000
        os.utime(path, (old, old))
        return hashlib.sha256(data).hexdigest()

    def asked(self):
        """Requests since the last call: (method, path, status, bytes)."""
        time.sleep(0.3)  # nginx logs at the end of a request
        with open(self.log) as f:
            lines = f.read().splitlines()
        new, self.seen = lines[self.seen:], len(lines)
        return [(m, u, int(s), int(b)) for m, u, s, b in (line.split(" ", 4)[:4] for line in new)]


def wait_for(port):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens on {port}")


def start_proxy(breakwater, folder):
    settings = os.path.join(folder, "settings.json")
    with open(settings, "w") as f:
        json.dump({
            "Proxy": {"Listen": [f"127.0.0.1:{PROXY}"]},
            "Access": {"Destinations": [f"{NAME}:*"], "AllowedUpstreams": ["127.0.0.1/32"]},
            "Store": {"Path": os.path.join(folder, "store"), "QuotaBytes": 12 << 30, "MinFreeBytes": 0},
            "Http": {"QuotaShare": 0.5},
            "Admin": {"Listen": ""},
            "Logging": {"LogLevel": {"Default": "Warning"}},
            "ReverseProxy": {"Clusters": {c: {"HealthCheck": {"Active": {"Enabled": "false"}}} for c in ("stratum1", "egi", "osg")}},
        }, f)
    process = subprocess.Popen([breakwater, "serve", "--settings", settings])
    wait_for(PROXY)
    return process


@contextlib.contextmanager
def laboratory(options):
    """A network namespace of the script's own, in which it runs anew (--inside), and a folder. Gives the folder, and a list for the processes that it starts: they are ended, the last first."""
    if not options.inside:
        os.execvp("unshare", ["unshare", "-n", "-m", sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:], "--inside"])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    folder, started = tempfile.mkdtemp(prefix="breakwater-http-"), []
    os.chmod(folder, 0o755)  # nginx reads as another user
    hosts = os.path.join(folder, "hosts")
    with open(hosts, "w") as f:
        f.write(f"127.0.0.1 localhost {NAME}\n")
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    try:
        yield folder, started
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def sha(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while piece := f.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


class Run:
    def __init__(self, folder, mirror, big):
        self.folder, self.mirror, self.big, self.failures, self.figures = folder, mirror, big, [], {}
        self.url = f"http://{NAME}:{MIRROR}"
        self.environment = dict(os.environ, http_proxy=f"http://127.0.0.1:{PROXY}", LC_ALL="C")

    def path(self, name):
        path = os.path.join(self.folder, "got", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def call(self, *command, cwd=None):
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=300, cwd=cwd)
        if done.returncode != 0:
            self.fail(f"{command[0]} ended with {done.returncode}: {done.stderr[-400:]}")
        return done

    def fail(self, what):
        self.failures.append(what)
        print(f"   WRONG: {what}")

    def expect(self, what, holds):
        print(f"   {what}: {'yes' if holds else 'NO'}")
        self.figures[what] = holds
        if not holds:
            self.failures.append(what)

    def twice(self, name, once, wanted, most_first, most_second):
        """Runs a client twice; wanted: {file: hash}; bodies in bytes that the mirror may send."""
        self.mirror.asked()
        for turn, most in ((1, most_first), (2, most_second)):
            once(turn)
            asked = self.mirror.asked()
            sent = sum(b for _, _, s, b in asked if s in (200, 206))
            statuses = dict(collections.Counter(s for _, _, s, _ in asked))
            print(f"{name}, run {turn}: {len(asked)} requests of the mirror {statuses}, {sent} bytes of bodies")
            self.figures[f"{name}, run {turn}"] = {"requests": len(asked), "statuses": statuses, "bodyBytes": sent}
            for path, digest in wanted.items():
                if not os.path.exists(path) or sha(path) != digest:
                    self.fail(f"{name}, run {turn}: {path} is not what the mirror has")
            if sent > most:
                self.fail(f"{name}, run {turn}: {sent} bytes of bodies, more than {most}")


def curl(run):
    data = os.urandom(3_000_000)
    digest = run.mirror.put("curl/file", data)
    got = run.path("curl")
    run.twice("curl", lambda _: run.call("curl", "-sf", "-o", got, f"{run.url}/curl/file"), {got: digest}, len(data), 0)
    part = run.path("curl-part")
    run.call("curl", "-sf", "-r", "1000000-1999999", "-o", part, f"{run.url}/curl/file")
    run.expect("curl -r of what is stored is right and asks nobody", open(part, "rb").read() == data[1_000_000:2_000_000] and not run.mirror.asked())
    several = run.call("curl", "-sf", "-r", "0-9,100-109", "-D", "-", "-o", run.path("curl-several"), f"{run.url}/curl/file")
    run.expect("curl of two ranges is answered", " 206 " in several.stdout or " 200 " in several.stdout)
    run.mirror.asked()
    none = subprocess.run(["curl", "-s", "-r", "9000000-", "-o", "/dev/null", "-w", "%{http_code}", f"{run.url}/curl/file"], env=run.environment, capture_output=True, text=True)
    run.expect("curl -r behind the end is a 416", none.stdout == "416")
    etag = run.path("curl.etag")
    run.call("curl", "-sf", "--etag-save", etag, "-o", got, f"{run.url}/curl/file")
    again = run.call("curl", "-s", "--etag-compare", etag, "-o", "/dev/null", "-w", "%{http_code}", f"{run.url}/curl/file")
    run.expect("curl --etag-compare is a 304", again.stdout == "304")
    run.call("curl", "-sf", "--http1.0", "-o", got, f"{run.url}/curl/file")
    run.expect("HTTP/1.0 gets the same", sha(got) == digest)


def wget(run):
    data = os.urandom(5_000_000)
    digest = run.mirror.put("wget/file", data)
    got = run.path("wget/file")
    run.twice("wget", lambda _: run.call("wget", "-q", "-O", got, f"{run.url}/wget/file"), {got: digest}, len(data), 0)
    with open(got, "r+b") as f:
        f.truncate(2_000_000)
    run.call("wget", "-q", "-c", "-O", got, f"{run.url}/wget/file")
    run.expect("wget -c goes on where it was, from the store", sha(got) == digest and not [a for a in run.mirror.asked() if a[3] > 1000])
    os.remove(got)
    for turn in (1, 2):
        run.call("wget", "-q", "-N", "-P", os.path.dirname(got), f"{run.url}/wget/file")
    run.expect("wget -N asks once and keeps the file", sha(got) == digest and not [a for a in run.mirror.asked() if a[2] == 200])
    cold = os.urandom(4_000_000)
    digest = run.mirror.put("wget/cold", cold)
    with open(run.path("wget/cold"), "wb") as f:
        f.write(cold[:3_500_000])
    run.call("wget", "-q", "-c", "-O", run.path("wget/cold"), f"{run.url}/wget/cold")
    sent = sum(a[3] for a in run.mirror.asked())
    run.expect(f"wget -c of a cold file asks for the slices of the rest only ({sent} bytes)", sha(run.path("wget/cold")) == digest and sent <= 2 << 20)


def aria2(run):
    path = os.path.join(run.mirror.root, "aria", "big")
    os.makedirs(os.path.dirname(path))
    block = os.urandom(1 << 20)
    with open(path, "wb") as f:
        for i in range(run.big >> 20):
            f.write(i.to_bytes(8, "big") + block[8:])
    old = time.time() - 864000
    os.utime(path, (old, old))
    digest, got = sha(path), run.path("aria/big")

    def once(_):
        if os.path.exists(got):
            os.remove(got)
        run.call("aria2c", "-q", "-x16", "-s16", "-k1M", "-d", os.path.dirname(got), "-o", "big", f"{run.url}/aria/big")

    run.twice("aria2c -x16", once, {got: digest}, int(run.big * 1.01), 0)
    os.remove(got)
    os.remove(path)


def one_range(run):
    path = os.path.join(run.mirror.root, "sparse", "ten-gigabytes")
    os.makedirs(os.path.dirname(path))
    with open(path, "wb") as f:
        f.truncate(10 << 30)
        f.seek(7_654_321_000)
        f.write(b"here it is")
    run.mirror.asked()
    part = run.path("sparse")
    run.call("curl", "-sf", "-r", "7654321000-7654321099", "-o", part, f"{run.url}/sparse/ten-gigabytes")
    sent = sum(a[3] for a in run.mirror.asked())
    run.expect(f"100 bytes of a cold 10 GiB file: {sent} bytes of the mirror, at most 1 MiB", open(part, "rb").read() == b"here it is" + bytes(90) and sent <= 1 << 20)
    os.remove(path)


def apt(run):
    """A small repository of packages, unsigned; apt's sandbox user may not read the temporary directory."""
    build = os.path.join(run.folder, "deb")
    entries = []
    for i in range(5):
        name = f"bw-test-{i}"
        control = os.path.join(build, name, "DEBIAN")
        os.makedirs(control)
        with open(os.path.join(control, "control"), "w") as f:
            f.write(f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: nothing\n")
        with open(os.path.join(build, name, "payload"), "wb") as f:
            f.write(os.urandom(700_000))
        deb = os.path.join(build, f"{name}.deb")
        run.call("dpkg-deb", "-Znone", "--root-owner-group", "-b", os.path.join(build, name), deb)
        data = open(deb, "rb").read()
        run.mirror.put(f"debian/pool/{name}.deb", data)
        entries.append(f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nFilename: pool/{name}.deb\n"
                       f"Size: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\nDescription: nothing\n")
    packages = "\n".join(entries).encode()
    run.mirror.put("debian/Packages", packages)
    run.mirror.put("debian/Packages.gz", gzip.compress(packages, mtime=0))

    def once(turn):
        base = os.path.join(run.folder, f"apt{turn}")
        for sub in ("lists/partial", "archives/partial", "etc/apt.conf.d", "etc/preferences.d", "etc/sources.list.d", "dpkg"):
            os.makedirs(os.path.join(base, sub))
        open(os.path.join(base, "dpkg", "status"), "w").close()
        with open(os.path.join(base, "etc", "sources.list"), "w") as f:
            f.write(f"deb [trusted=yes] {run.url}/debian ./\n")
        options = {"Dir::State": base, "Dir::State::lists": f"{base}/lists", "Dir::Cache": base, "Dir::Cache::archives": f"{base}/archives", "Dir::Etc": f"{base}/etc",
                   "Dir::Etc::sourcelist": f"{base}/etc/sources.list", "Dir::Etc::sourceparts": f"{base}/etc/sources.list.d", "Dir::State::status": f"{base}/dpkg/status",
                   "APT::Sandbox::User": "root", "Acquire::http::Proxy": f"http://127.0.0.1:{PROXY}", "Acquire::Languages": "none"}
        flags = [x for name, value in options.items() for x in ("-o", f"{name}={value}")]
        run.call("apt-get", *flags, "-q", "update")
        run.call("apt-get", *flags, "-q", "download", *(f"bw-test-{i}" for i in range(5)), cwd=base)
        for i in range(5):
            got = os.path.join(base, f"bw-test-{i}_1.0_all.deb")
            if not os.path.exists(got) or sha(got) != sha(os.path.join(run.mirror.root, "debian", "pool", f"bw-test-{i}.deb")):
                run.fail(f"apt, run {turn}: bw-test-{i} is not what the mirror has")

    run.twice("apt", once, {}, 5 * 720_000 + 100_000, 0)


def crowd(run, path, wanted):
    """1,000 clients ask at once. Gives what was asked of the mirror, and how long each waited for its first byte."""
    run.mirror.asked()
    wrong, waited = [], []

    def ask(_):
        connection = http.client.HTTPConnection("127.0.0.1", PROXY, timeout=120)
        try:
            digest, began = hashlib.sha256(), time.monotonic()
            connection.request("GET", run.url + path)
            answer = connection.getresponse()
            digest.update(answer.read(1))
            waited.append(time.monotonic() - began)
            while piece := answer.read(1 << 16):
                digest.update(piece)
            if digest.hexdigest() != wanted:
                wrong.append(answer.status)
        except Exception as e:
            wrong.append(repr(e))
        finally:
            connection.close()

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(1000) as clients:
        list(clients.map(ask, range(1000)))
    asked, waited = run.mirror.asked(), sorted(waited) or [0]
    print(f"1,000 clients of {path}: {len(asked)} requests of the mirror {dict(collections.Counter(s for _, _, s, _ in asked))}, {time.monotonic() - began:.1f} s, "
          f"first byte after {waited[len(waited) // 2]:.2f} s, the last after {waited[-1]:.2f} s")
    run.expect(f"all have the right bytes {wrong[:3]}", not wrong)
    return asked, waited


def herd(run):
    """1,000 clients at once: one cold file, one stale file, then something that must not be stored."""
    asked, _ = crowd(run, "/slow/herd", run.mirror.put("slow/herd", os.urandom(8 << 20)))
    run.expect("a cold 8 MiB file is asked for once", [(m, s) for m, _, s, _ in asked] == [("GET", 200)])

    digest = run.mirror.put("stale/herd", os.urandom(8 << 20))
    run.call("curl", "-sf", "-o", run.path("stale"), f"{run.url}/stale/herd")
    time.sleep(2)
    asked, _ = crowd(run, "/stale/herd", digest)
    run.expect("a stale one is checked once", [(m, s) for m, _, s, _ in asked] == [("GET", 304)])

    asked, waited = crowd(run, "/private/page", run.mirror.put("private/page", os.urandom(600_000)))
    run.expect("each of 1,000 requests for a private page is forwarded", [s for _, _, s, _ in asked] == [200] * 1000)
    run.figures["herd, private: first byte, median and last, seconds"] = [round(waited[500], 2), round(waited[-1], 2)]


def poison(run):
    """Fields that are no part of a stored answer's name change nothing for the next client."""
    data = b"the real page\n"
    digest = run.mirror.put("poison/page", data)
    connection = http.client.HTTPConnection("127.0.0.1", PROXY, timeout=30)
    for fields in ({"X-Forwarded-Host": "evil.test"}, {"X-Original-URL": "/private/page"}, {"X-Rewrite-URL": "/private/page"}, {"X-HTTP-Method-Override": "DELETE"},
                   {"Host": "evil.test"}, {"Forwarded": "host=evil.test"}, {"Range": "bytes=2-5"}, {"Accept-Encoding": "nonsense"}):
        connection.request("GET", f"{run.url}/poison/page", headers=fields)
        connection.getresponse().read()
        connection.request("GET", f"{run.url}/poison/page")
        body = connection.getresponse().read()
        run.expect(f"after {fields} the next client has the page", hashlib.sha256(body).hexdigest() == digest)
    run.mirror.asked()


SCENARIOS = {"curl": curl, "wget": wget, "apt": apt, "range": one_range, "herd": herd, "poison": poison, "aria2": aria2, **packagers.SCENARIOS}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--breakwater", required=True)
    parser.add_argument("--only", default=",".join(SCENARIOS))
    parser.add_argument("--big", type=int, default=1 << 30, help="bytes of aria2c's file")
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    breakwater = os.path.abspath(options.breakwater)
    with laboratory(options) as (folder, started):
        mirror = Mirror(folder)
        started.append(mirror.process)
        started.append(start_proxy(breakwater, folder))
        run = Run(folder, mirror, options.big)
        tools = {"curl": ["curl"], "wget": ["wget"], "apt": ["apt-get", "dpkg-deb"], "aria2": ["aria2c"], "range": ["curl"], "dnf": ["dnf", "rpmbuild", "createrepo_c"],
                 "zypper": ["zypper", "rpmbuild", "createrepo_c"], "skopeo": ["skopeo"]}
        for name in options.only.split(","):
            missing = [tool for tool in tools.get(name, []) if not shutil.which(tool)]
            if missing:
                print(f"{name}: left out, there is no {', '.join(missing)}")
                run.figures[name] = f"left out, there is no {', '.join(missing)}"
                continue
            SCENARIOS[name](run)
        print("all right" if not run.failures else f"{len(run.failures)} WRONG:\n  " + "\n  ".join(run.failures))
        if options.save:
            saved.save("clients", breakwater, scenarios=options.only.split(","), figures=run.figures, failures=run.failures)
        return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
