"""dnf, zypper, pip and skopeo for clients.py: each twice through Breakwater against repositories that are made here."""
import base64, gzip, hashlib, http.server, io, json, os, shutil, subprocess, sys, tarfile, threading, zipfile

REGISTRY = 5000


def rpm_repository(run, name):
    """Five packages of random bytes with metadata, for one client alone: what another has fetched would be warm."""
    root = os.path.join(run.mirror.root, name)
    top, made = os.path.join(run.folder, f"{name}-build"), os.path.join(run.folder, f"{name}-made")
    os.makedirs(made)
    for i in range(5):
        payload = os.path.join(top, f"payload-{i}")
        os.makedirs(top, exist_ok=True)
        with open(payload, "wb") as f:
            f.write(os.urandom(700_000))
        spec = os.path.join(top, f"bw-test-{i}.spec")
        with open(spec, "w") as f:
            f.write(f"Name: bw-test-{i}\nVersion: 1.0\nRelease: 1\nSummary: nothing\nLicense: MIT\nBuildArch: noarch\n%description\nnothing\n"
                    f"%install\nmkdir -p %{{buildroot}}/opt/bw\ncp {payload} %{{buildroot}}/opt/bw/\n%files\n/opt/bw/payload-{i}\n")
        run.call("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {top}", "--define", f"_rpmdir {made}", "--define", "_binary_payload w0.gzdio", spec)
    run.call("createrepo_c", "-q", made)
    for folder, _, files in os.walk(made):
        for file in files:
            path = os.path.join(folder, file)
            run.mirror.put(os.path.join(name, os.path.relpath(path, made)), open(path, "rb").read())
    return root


def published(root):
    return {os.path.basename(p): p for folder, _, names in os.walk(root) for p in (os.path.join(folder, n) for n in names) if p.endswith(".rpm")}


def check_rpms(run, what, cache, root):
    got, wanted = published(cache), published(root)
    for name, path in wanted.items():
        if name not in got or open(got[name], "rb").read() != open(path, "rb").read():
            run.fail(f"{what}: {name} is not what the mirror has")


def size_of(root):
    return sum(os.path.getsize(os.path.join(folder, n)) for folder, _, names in os.walk(root) for n in names)


def dnf(run):
    root = rpm_repository(run, "rpm-dnf")

    def once(turn):
        base = os.path.join(run.folder, f"dnf{turn}")
        os.makedirs(os.path.join(base, "repos"))
        with open(os.path.join(base, "repos", "bw.repo"), "w") as f:
            f.write(f"[bw]\nname=bw\nbaseurl={run.url}/rpm-dnf\ngpgcheck=0\nmetadata_expire=0\n")
        settings = {"reposdir": f"{base}/repos", "cachedir": f"{base}/cache", "persistdir": f"{base}/persist", "logdir": base, "keepcache": "1",
                    "proxy": run.environment["http_proxy"], "plugins": "0", "module_platform_id": "platform:bw1"}
        flags = [f"--setopt={name}={value}" for name, value in settings.items()]
        run.call("dnf", "-q", "-y", "--releasever=1", f"--installroot={base}/root", *flags, "install", "--downloadonly", *(f"bw-test-{i}" for i in range(5)))
        check_rpms(run, f"dnf, run {turn}", base, root)

    run.twice("dnf", once, {}, size_of(root), 0)


def zypper(run):
    root = rpm_repository(run, "rpm-zypper")

    def once(turn):
        base = os.path.join(run.folder, f"zypper{turn}")
        os.makedirs(base)
        flags = ["zypper", "--root", base, "--non-interactive", "--no-gpg-checks", "--quiet"]
        run.call(*flags, "addrepo", f"{run.url}/rpm-zypper", "bw")
        run.call(*flags, "refresh")
        run.call(*flags, "download", *(f"bw-test-{i}" for i in range(5)))
        check_rpms(run, f"zypper, run {turn}", base, root)

    run.twice("zypper", once, {}, size_of(root), 0)


def pip(run):
    """A simple index of three wheels."""
    wheels = {}
    for i in range(3):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as wheel:
            wheel.writestr(f"bwtest{i}/__init__.py", f"DATA = {base64.b64encode(os.urandom(400_000))!r}\n")
            wheel.writestr(f"bwtest{i}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: bwtest{i}\nVersion: 1.0\n")
            wheel.writestr(f"bwtest{i}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: bw\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"bwtest{i}-1.0.dist-info/RECORD", f"bwtest{i}/__init__.py,,\nbwtest{i}-1.0.dist-info/METADATA,,\n"
                           f"bwtest{i}-1.0.dist-info/WHEEL,,\nbwtest{i}-1.0.dist-info/RECORD,,\n")
        name = f"bwtest{i}-1.0-py3-none-any.whl"
        wheels[name] = run.mirror.put(f"pip/files/{name}", buffer.getvalue())
        run.mirror.put(f"pip/simple/bwtest{i}/index.html", f'<!DOCTYPE html><html><body><a href="/pip/files/{name}#sha256={wheels[name]}">{name}</a></body></html>'.encode())
    got = run.path("pip/x")
    folder = os.path.dirname(got)

    def once(_):
        shutil.rmtree(folder, ignore_errors=True)
        run.call("/usr/bin/python3", "-m", "pip", "download", "-q", "--no-cache-dir", "--no-deps", "--disable-pip-version-check", "--index-url", f"{run.url}/pip/simple/",
                 "--trusted-host", run.url.split("/")[2].split(":")[0], "--proxy", run.environment["http_proxy"], "-d", folder, *(f"bwtest{i}" for i in range(3)))

    run.twice("pip", once, {os.path.join(folder, n): d for n, d in wheels.items()}, size_of(os.path.join(run.mirror.root, "pip")), 0)


class Registry:
    """A registry of one image, for everybody below /v2/open/ and for bearers of the token below /v2/closed/. Counts what it sends."""

    def __init__(self, name):
        layers = []
        for i in range(3):
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode="w") as tar:
                info = tarfile.TarInfo(f"file-{i}")
                data = os.urandom(1_500_000)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
            layers.append((buffer.getvalue(), gzip.compress(buffer.getvalue(), 1, mtime=0)))
        digest = lambda data: "sha256:" + hashlib.sha256(data).hexdigest()
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [digest(tar) for tar, _ in layers]}}).encode()
        self.blobs = {digest(b): b for b in [config, *(packed for _, packed in layers)]}
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(config), "size": len(config)},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest(p), "size": len(p)} for _, p in layers]}).encode()
        self.asked, registry, tag = [], self, digest(self.manifest)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, status, body=b"", **fields):
                self.send_response(status)
                for field, value in fields.items():
                    self.send_header(field.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "GET" and body and status == 200:
                    self.wfile.write(body)
                sent = len(body) if self.command == "GET" and status == 200 else 0
                registry.asked.append((self.command, self.path, status, sent))

            def do_GET(self):
                words = self.path.split("?")[0].split("/")
                if words[1] == "token":
                    return self.answer(200, json.dumps({"token": "secret", "access_token": "secret"}).encode(), Content_Type="application/json", Cache_Control="no-store")
                if "closed" in words and self.headers.get("Authorization") != "Bearer secret" or self.path == "/v2/" and registry.is_closed:
                    if self.headers.get("Authorization") != "Bearer secret":
                        return self.answer(401, b"", WWW_Authenticate=f'Bearer realm="http://{name}:{REGISTRY}/token",service="bw",scope="repository:closed/image:pull"')
                if self.path == "/v2/":
                    return self.answer(200, b"{}", Content_Type="application/json", Cache_Control="no-store")
                if "manifests" in words:
                    if self.headers.get("If-None-Match") == f'"{tag}"':
                        return self.answer(304, ETag=f'"{tag}"')
                    return self.answer(200, registry.manifest, Content_Type="application/vnd.oci.image.manifest.v1+json", ETag=f'"{tag}"', Docker_Content_Digest=tag)
                body = registry.blobs.get(words[-1])
                return self.answer(404) if body is None else self.answer(200, body, Content_Type="application/octet-stream", Cache_Control="max-age=31536000")

            do_HEAD = do_GET

        self.is_closed = False
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", REGISTRY), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def skopeo(run):
    name = run.url.split("/")[2].split(":")[0]
    registry = Registry(name)
    whole = len(registry.manifest) + sum(map(len, registry.blobs.values()))
    for repository, most_first, most_second in (("open/image", whole, 0), ("closed/image", len(registry.manifest) * 2 + 1000, len(registry.manifest) * 2 + 1000)):
        registry.is_closed = repository.startswith("closed")
        for turn, most in ((1, most_first), (2, most_second)):
            registry.asked.clear()
            target = os.path.join(run.folder, f"skopeo-{repository.replace('/', '-')}-{turn}")
            run.call("skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false", f"docker://{name}:{REGISTRY}/{repository}:1", f"oci:{target}:1")
            blobs = os.path.join(target, "blobs", "sha256")
            for digest, body in registry.blobs.items():
                path = os.path.join(blobs, digest[7:])
                if not os.path.exists(path) or open(path, "rb").read() != body:
                    run.fail(f"skopeo of {repository}, run {turn}: {digest} is not what the registry has")
            sent = sum(b for _, path, _, b in registry.asked if path != "/v2/" and not path.startswith("/token"))
            print(f"skopeo of {repository}, run {turn}: {len(registry.asked)} requests of the registry, {sent} bytes of bodies (manifests and blobs)")
            if sent > most:
                run.fail(f"skopeo of {repository}, run {turn}: {sent} bytes of bodies, more than {most}: {[a for a in registry.asked if a[3]]}")
    denied = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://{name}:{REGISTRY}/v2/closed/image/blobs/{max(registry.blobs, key=lambda d: len(registry.blobs[d]))}"],
                            env=run.environment, capture_output=True, text=True)
    run.expect(f"a layer of the closed image is denied without the token ({denied.stdout})", denied.stdout == "401")
    registry.server.shutdown()


SCENARIOS = {"dnf": dnf, "zypper": zypper, "pip": pip, "skopeo": skopeo}
