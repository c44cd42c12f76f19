#!/usr/bin/env python3
"""Makes an OCI image archive of a published Breakwater without a container engine, a daemon or a registry: Debian's C library and certificates, and the program.

The libraries are Debian packages, fetched and unpacked by mmdebstrap without running anything of them, so the archive of one architecture is made on
any. The same packages and the same program give the same bytes: order, owners and times are fixed (SOURCE_DATE_EPOCH). Debian's own updates change the lower layer.
`podman load -i FILE`, `docker load -i FILE` (25 or later) and `skopeo copy oci-archive:FILE docker://REGISTRY/NAME:TAG` take it.

usage: image.py VERSION amd64|arm64 PUBLISHED_DIRECTORY OUTPUT_FILE      needs mmdebstrap and dpkg-deb (Debian, Ubuntu)
"""
import datetime, gzip, hashlib, io, json, os, pathlib, subprocess, sys, tarfile, tempfile

SUITE = "bookworm"
PACKAGES = ["libc6", "libgcc-s1", "libstdc++6", "libssl3", "ca-certificates", "tzdata"]
KEPT = ["lib", "lib64", "usr/lib", "usr/share/zoneinfo", "usr/share/ca-certificates", "etc/ssl/openssl.cnf", "tmp"]
USER, STORE = 1654, "var/cache/breakwater"
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
ENVIRONMENT = [  # as in the Containerfile: the page and /metrics from the container's own network, others need the token
    "PATH=/app", "Store__Path=/" + STORE, "Admin__Listen=0.0.0.0:9128", "AccessLog__Path=-", "DOTNET_EnableDiagnostics=0",
    "Admin__Readers__0=127.0.0.0/8", "Admin__Readers__1=::1/128", "Admin__Readers__2=172.16.0.0/12", "Admin__Readers__3=10.88.0.0/16"]


class Layer:
    """A tar with fixed order, owners and times."""

    def __init__(self):
        self.members = {}

    def directory(self, name, mode=0o755, owner=0):
        self.members[name] = (self.info(name, tarfile.DIRTYPE, mode, owner), None)

    def file(self, name, content, mode=0o644):
        info = self.info(name, tarfile.REGTYPE, mode, 0)
        info.size = len(content)
        self.members[name] = (info, content)

    def tree(self, path, name):
        """A file, a link or a directory with all that is in it."""
        if path.is_symlink():
            info = self.info(name, tarfile.SYMTYPE, 0o777, 0)
            info.linkname = os.readlink(path)
            self.members[name] = (info, None)
        elif path.is_dir():
            self.directory(name, path.stat().st_mode & 0o7777)
            for one in path.iterdir():
                self.tree(one, f"{name}/{one.name}")
        else:
            self.file(name, path.read_bytes(), 0o755 if path.stat().st_mode & 0o100 else 0o644)

    @staticmethod
    def info(name, kind, mode, owner):
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.uid, info.gid, info.mtime = kind, mode, owner, owner, EPOCH
        return info

    def write(self):
        for name in list(self.members):  # parents that nobody named
            for parent in pathlib.PurePosixPath(name).parents:
                if str(parent) != "." and str(parent) not in self.members:
                    self.directory(str(parent))
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for name in sorted(self.members):
                info, content = self.members[name]
                tar.addfile(info, None if content is None else io.BytesIO(content))
        return out.getvalue()


def libraries(architecture, work):
    """What the program needs of an operating system."""
    root = work / "root"
    subprocess.run(["mmdebstrap", "--quiet", "--variant=extract", "--architectures=" + architecture, "--skip=check/qemu", "--skip=cleanup/apt", "--skip=download/empty",
                    "--include=" + ",".join(PACKAGES), SUITE, root], check=True, stdout=sys.stderr)
    layer = Layer()
    for name in KEPT:
        if (root / name).exists():  # arm64 has no lib64
            layer.tree(root / name, name)
    layer.directory("tmp", 0o1777)
    certificates = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    layer.file("etc/ssl/certs/ca-certificates.crt", b"".join(one.read_bytes().rstrip() + b"\n" for one in certificates))
    layer.file("etc/passwd", f"root:x:0:0:root:/:/sbin/nologin\nbreakwater:x:{USER}:{USER}::/{STORE}:/sbin/nologin\n".encode())
    layer.file("etc/group", f"root:x:0:\nbreakwater:x:{USER}:\n".encode())
    layer.file("etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files dns\n")
    layer.file("etc/os-release", b'ID=debian\nVERSION_ID="12"\nNAME="Debian GNU/Linux"\nPRETTY_NAME="Breakwater on libraries of Debian 12"\n')
    for deb in (root / "var/cache/apt/archives").glob("*.deb"):  # where scanners look for what is installed
        control = subprocess.run(["dpkg-deb", "-f", deb], check=True, capture_output=True).stdout
        layer.file("var/lib/dpkg/status.d/" + deb.name.split("_")[0], control)
    return layer


def program(published):
    layer = Layer()
    layer.tree(published, "app")
    layer.directory("app")
    layer.directory(STORE, 0o750, USER)
    return layer


def main(version, architecture, published, output):
    with tempfile.TemporaryDirectory() as work:
        tars = [libraries(architecture, pathlib.Path(work)).write(), program(pathlib.Path(published)).write()]
    blobs = {}

    def blob(content, media, **more):
        digest = hashlib.sha256(content).hexdigest()
        blobs[digest] = content
        return {"mediaType": media, "digest": "sha256:" + digest, "size": len(content), **more}

    def document(value, media, **more):
        return blob(json.dumps(value, indent=1, sort_keys=True).encode(), media, **more)

    layers = [blob(gzip.compress(tar, 9, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip") for tar in tars]
    created = datetime.datetime.fromtimestamp(EPOCH, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    config = document({
        "architecture": architecture, "os": "linux", "created": created,
        "config": {
            "User": f"{USER}:{USER}", "ExposedPorts": {"3128/tcp": {}, "9128/tcp": {}}, "Env": ENVIRONMENT, "Entrypoint": ["/app/breakwater", "serve"],
            "Volumes": {"/" + STORE: {}}, "WorkingDir": "/", "StopSignal": "SIGTERM",
            "Healthcheck": {"Test": ["CMD", "/app/breakwater", "status"]},  # Docker's and Podman's; Kubernetes asks /healthz
            "Labels": {"org.opencontainers.image.title": "breakwater", "org.opencontainers.image.version": version, "org.opencontainers.image.licenses": "MIT"}},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest() for tar in tars]},
        "history": [{"created": created, "created_by": what} for what in ("packages of Debian: " + " ".join(PACKAGES), "breakwater " + version)],
    }, "application/vnd.oci.image.config.v1+json")
    manifest = document({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": layers},
                        "application/vnd.oci.image.manifest.v1+json", platform={"architecture": architecture, "os": "linux"},
                        annotations={"org.opencontainers.image.ref.name": version, "io.containerd.image.name": f"docker.io/library/breakwater:{version}"})
    archive = Layer()
    archive.file("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
    archive.file("index.json", json.dumps({"schemaVersion": 2, "manifests": [manifest]}, indent=1, sort_keys=True).encode())
    for digest, content in blobs.items():
        archive.file("blobs/sha256/" + digest, content)
    pathlib.Path(output).write_bytes(archive.write())


if len(sys.argv) != 5 or sys.argv[2] not in ("amd64", "arm64"):
    sys.exit(__doc__.strip())
main(*sys.argv[1:])
