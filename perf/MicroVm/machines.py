"""What the scripts of this folder share: a published repository, its Stratum 1, Breakwater in front, and machines of QEMU (no KVM)."""
import http.server
import json
import os
import pathlib
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BREAKWATER = ROOT / "proxy/bin/Release/net10.0/breakwater"
BUILD = ROOT / "deployment/microvm/build.sh"
FQRN = "os.lab.example"
EMULATORS = {  # program with what it needs, and the name of its serial line
    "amd64": (["qemu-system-x86_64"], "ttyS0"),
    "arm64": (["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72"], "ttyAMA0"),
}
MACHINE = f"{os.cpu_count()} cores, {platform.system()} {platform.release()}; QEMU without KVM"


def need(*programs, arch="amd64"):
    """Ends the script, and says why, where something is not here."""
    missing = [str(p) for p in (EMULATORS[arch][0][0], BREAKWATER, *programs) if not (shutil.which(p) or os.path.exists(p))]
    if missing:
        sys.exit(f"missing: {' '.join(missing)}; see the head of this script")


def busybox():
    found = next((p for p in ("/bin/busybox", "/usr/bin/busybox") if os.path.exists(p)), None)
    return found or sys.exit("missing: busybox-static; see the head of this script")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


class Stratum1:
    """Serves a published folder as a Stratum 1 does, some time away, and counts."""

    def __init__(self, folder, delay=0.0):
        requests = self.requests = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __init__(self, *a, **k):
                super().__init__(*a, directory=str(folder), **k)

            def do_GET(self):
                requests.append(self.path)
                time.sleep(delay)
                super().do_GET()

            def end_headers(self):
                self.send_header("Cache-Control", "max-age=259200" if "/data/" in self.path else "max-age=61")
                super().end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def objects(self):
        return sum("/data/" in path for path in self.requests)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Lab:
    """A working directory with keys, what is published, and all processes; a context."""

    def __init__(self, delay=0.0, prefix="breakwater-vm-", arch="amd64"):
        self.arch = arch
        self.work = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
        os.chmod(self.work, 0o755)
        self.processes, self.keep = [], False
        self.keys, self.published = self.work / "keys", self.work / "published"
        self.published.mkdir()
        self.stratum1 = Stratum1(self.published, delay)
        self.port, self.admin = free_port(), free_port()
        trusted = self.work / "trusted"
        trusted.mkdir()
        self.access_log = self.work / "access.log"
        settings = self.work / "settings.json"
        settings.write_text(json.dumps({
            "Proxy": {"Listen": [f"127.0.0.1:{self.port}"]}, "Admin": {"Listen": f"127.0.0.1:{self.admin}"},
            "ZeroTouch": {"Proxies": [f"10.0.2.2:{self.port}"]},
            "Store": {"Path": str(self.work / "store")}, "Access": {"AllowedUpstreams": ["127.0.0.0/8"]},
            "AccessLog": {"Path": str(self.access_log), "Format": "Json"},
            "Publish": {"Path": str(self.published), "KeysDirectory": str(self.keys)},
            "Repositories": {"KeysDirectory": str(trusted), FQRN: {"Cluster": "lab"}},
            "ReverseProxy": {"Clusters": {"lab": {"Destinations": {"s1": {"Address": f"http://127.0.0.1:{self.stratum1.port}/"}}}}}}))
        self.program = (BREAKWATER, "--settings", settings)
        run(*self.program, "publish", "keys", "--new", "--master-here", "--repository", FQRN)
        self.public = next(self.keys.rglob(f"{FQRN}.pub"))
        shutil.copy(self.public, trusted)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes[:]:
            self.stop(process)
        if self.keep:
            print(f"kept: {self.work}")
        else:
            shutil.rmtree(self.work, ignore_errors=True)

    def start(self, *command, log):
        with open(self.work / log, "ab") as out:
            process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        self.processes.append(process)
        return process

    def stop(self, process):
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.processes.remove(process)

    def publish(self, tree, tag, *more):
        return run(*self.program, "publish", tree, "--repository", FQRN, "--tag", tag, "--move", "HEAD", *more)

    def serve(self):
        """Starts Breakwater; it serves when this returns."""
        process = self.start(*self.program, "serve", log="serve.log")
        until = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/healthz", timeout=2).read()
                return process
            except urllib.error.HTTPError:
                return process  # it answers: other sites' Stratum 1s, which its settings name, are out of reach here
            except OSError:
                if time.monotonic() > until or process.poll() is not None:
                    raise RuntimeError((self.work / "serve.log").read_text()[-2000:]) from None
                time.sleep(0.1)

    def wait_for_revision(self, number, port=None):
        """Until the proxy serves it: it keeps a manifest for a minute, and a new one back while it fetches what boots read."""
        request = urllib.request.Request(f"http://stratum1.lab/cvmfs/{FQRN}/.cvmfspublished")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{port or self.port}"}))
        begin = time.monotonic()
        while f"\nS{number}\n".encode() not in opener.open(request, timeout=20).read():
            if time.monotonic() - begin > 180:
                raise RuntimeError(f"the proxy serves no revision {number}")
            time.sleep(1)
        print(f"revision {number} is served after {time.monotonic() - begin:.0f} s", flush=True)

    def key_word(self):
        """The public key as user data and the kernel command line have it."""
        return "cvmfs_key=" + "".join(line for line in self.public.read_text().splitlines() if "-----" not in line)

    def words(self, proxy=None):
        """What a machine must be told with an image of build.sh --user-data-key."""
        return (f"cvmfs_http_proxy={proxy or f'http://10.0.2.2:{self.port}'} cvmfs_branch={FQRN} cvmfs_server=stratum1.lab "
                f"{self.key_word()} cvmfs_panic=poweroff")

    def machine(self, words, image, extra=(), memory=512, system=("-kernel", "-initrd"), net="user,id=n"):
        """Starts a machine; its console is written to the file that is given back with its process."""
        console = self.work / f"console-{time.monotonic_ns()}"
        emulator, serial = EMULATORS[self.arch]
        command = [*emulator, "-accel", "tcg", "-m", str(memory), "-display", "none", "-monitor", "none", "-no-reboot",
                   "-serial", f"file:{console}", "-netdev", net, "-device", "virtio-net-pci,netdev=n,romfile=", *extra]
        if system:
            command += ["-kernel", image / "vmlinuz", "-initrd", image / "initrd.img", "-append", f"console={serial} quiet panic=1 {words}"]
        return self.start(*command, log="qemu.log"), console

    def boot(self, words, image, extra=(), patience=240, **more):
        """Boots until the machine is off, and gives what the console said, and the seconds."""
        begin = time.monotonic()
        process, console = self.machine(words, image, extra, **more)
        try:
            process.wait(patience)
            self.processes.remove(process)
        except subprocess.TimeoutExpired:
            self.stop(process)
        return console.read_text(errors="replace") if console.exists() else "", time.monotonic() - begin
