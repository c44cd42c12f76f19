#!/usr/bin/env python3
"""Starts an image archive of image.py as a container engine would, without one, and asks its health check: read-only root, its user, its environment, no network but loopback.

Also: every blob has its digest, no file of the image can be written by its user but the store, and the program fetches nothing to start.
usage, as root: check.py FILE      the exit code is 0 when its health check has answered 0
"""
import hashlib, io, json, os, pathlib, signal, subprocess, sys, tarfile, tempfile, time


def read(archive):
    with tarfile.open(archive) as tar:
        files = {one.name: tar.extractfile(one).read() for one in tar if one.isfile()}

    def blob(descriptor):
        content = files["blobs/" + descriptor["digest"].replace(":", "/")]
        assert "sha256:" + hashlib.sha256(content).hexdigest() == descriptor["digest"] and len(content) == descriptor["size"], descriptor
        return content

    manifest = json.loads(blob(json.loads(files["index.json"])["manifests"][0]))
    return json.loads(blob(manifest["config"])), [blob(one) for one in manifest["layers"]]


def inside(root, config, words):
    """A command as the engine would run it; in a network and mounts of its own, which end with it."""
    runs = config["config"]
    script = ('ip link set lo up && mount --make-rprivate / && mount --bind "$0" "$0" && mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && mount -t tmpfs tmpfs "$0/tmp" '
              '&& mount --bind "$0/store" "$0/var/cache/breakwater" && mount -o remount,bind,ro "$0" && exec chroot --userspec="$1" "$0" "${@:2}"')
    return ["unshare", "--net", "--mount", "bash", "-c", script, str(root), runs["User"], *words]


def main(archive):
    config, layers = read(archive)
    runs = config["config"]
    environment = dict(one.split("=", 1) for one in runs["Env"])
    with tempfile.TemporaryDirectory() as work:
        root = pathlib.Path(work) / "root"
        for layer in layers:
            with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
                tar.extractall(root, **({"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}))  # its links are absolute, as an image's are
        for name in ("dev", "proc", "store"):
            (root / name).mkdir(exist_ok=True)
        user, group = map(int, runs["User"].split(":"))
        os.chown(root / "store", user, group)
        os.chmod(work, 0o755)
        open_to_it = [path for path in root.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o002 and path != root / "tmp"]
        assert not open_to_it, open_to_it
        server = subprocess.Popen(inside(root, config, runs["Entrypoint"]), env={**os.environ, **environment, "PATH": os.environ["PATH"]})
        try:
            for _ in range(60):
                health = subprocess.run(["nsenter", "--target", str(server.pid), "--net", "--mount", "chroot", f"--userspec={runs['User']}", str(root), *runs["Healthcheck"]["Test"][1:]],
                                        env=environment | {"PATH": os.environ["PATH"]}, capture_output=True, text=True)
                if health.returncode == 0 or server.poll() is not None:
                    break
                time.sleep(0.5)
        finally:
            server.send_signal(getattr(signal, runs["StopSignal"]))
            ended = server.wait(30)
        print(health.stdout.strip().splitlines()[0] if health.stdout.strip() else health.stderr.strip())
        assert health.returncode == 0, f"the health check said {health.returncode}: {health.stderr}"
        assert ended == 0, f"it ended with {ended}"
        print(f"{archive}: started as {runs['User']}, read-only, healthy, ended with 0")


if len(sys.argv) != 2:
    sys.exit(__doc__.strip())
main(sys.argv[1])
