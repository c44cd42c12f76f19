#!/usr/bin/python3
"""Boots real machines (QEMU, without KVM) whose operating system is a small published repository, through Breakwater.

Published, booted, verified to the byte; then a new revision whose tag moves, warmed: the next boot has it with no request to the Stratum 1;
then the old tag; then with the Stratum 1 gone; then a wrong key, which must end in the rescue shell. Exit 0 when all of it is so.

    boot.py [--image DIRECTORY] [--iso] [--keep] [--save]

Needs: dotnet build -c Release proxy; apt-get install --no-install-recommends qemu-system-x86 seabios busybox-static and what
deployment/microvm/build.sh names. --iso boots ISO (BIOS), raw image (UEFI; ovmf) and user data instead.
"""
import argparse
import hashlib
import http.server
import json
import os
import pathlib
import platform
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BREAKWATER = ROOT / "proxy/bin/Release/net10.0/breakwater"
FQRN = "os.lab.example"
arguments = argparse.ArgumentParser()
arguments.add_argument("--image", type=pathlib.Path, help="what build.sh --user-data-key made; else it is built with the key of the test")
arguments.add_argument("--iso", action="store_true", help="boot the ISO by BIOS, the raw image by UEFI, and user data of a drive and of a cpio, instead")
arguments.add_argument("--keep", action="store_true", help="keep the working directory")
arguments.add_argument("--save", action="store_true", help="write perf/results/boot.json")
arguments = arguments.parse_args()

missing = [p for p in ("qemu-system-x86_64", "cpio") if not shutil.which(p)] + [str(p) for p in (BREAKWATER,) if not p.exists()]
busybox = next((p for p in ("/bin/busybox", "/usr/bin/busybox") if os.path.exists(p)), None)
if missing or not busybox:
    sys.exit(f"missing: {' '.join(missing)} {'' if busybox else 'busybox-static'}; see the head of this script")

work = pathlib.Path(tempfile.mkdtemp(prefix="breakwater-boot-"))
processes = []


def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Stratum1(http.server.SimpleHTTPRequestHandler):
    """Serves the published folder and counts."""
    requests = []
    protocol_version = "HTTP/1.1"

    def __init__(self, *a, **k):
        super().__init__(*a, directory=str(work / "published"), **k)

    def do_GET(self):
        Stratum1.requests.append(self.path)
        super().do_GET()

    def log_message(self, *_):
        pass


def objects():
    return sum("/data/" in path for path in Stratum1.requests)


def wait_for_revision(number, proxy_port):
    """Until the proxy serves it: it keeps a manifest for a minute, and a new one back while it fetches what boots read."""
    request = urllib.request.Request(f"http://stratum1.lab/cvmfs/{FQRN}/.cvmfspublished")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{proxy_port}"}))
    begin = time.monotonic()
    while f"\nS{number}\n".encode() not in opener.open(request, timeout=20).read():
        if time.monotonic() - begin > 180:
            sys.exit(f"the proxy serves no revision {number}")
        time.sleep(1)
    print(f"revision {number} is served after {time.monotonic() - begin:.0f} s", flush=True)


INIT = """#!/bin/sh
# The operating system of this test: says what it sees, and switches off.
echo "MARKER $(cat /etc/revision)"
grep ' / ' /proc/mounts | sed 's/^/ROOT /'
cd / && find data etc/revision -type f -print0 | sort -z | xargs -0 sha256sum | sed 's/^/SUM /'
echo "LINK $(readlink data/link) $(stat -c %h data/hard1)"
for p in /proc/[0-9]*; do
  grep -q breakwater-mount $p/cmdline 2>/dev/null && grep -E 'VmRSS|VmHWM|RssAnon' $p/status | tr -d '\\t' | sed 's/^/MOUNT /'
done
echo "DONE"
poweroff -f
"""


def make_tree():
    tree = work / "tree"
    for folder in ("bin", "sbin", "data/deep/er", "etc"):
        (tree / folder).mkdir(parents=True)
    shutil.copy(busybox, tree / "bin/busybox")
    for applet in "sh cat grep sed find sort xargs sha256sum readlink stat poweroff tr".split():
        (tree / "bin" / applet).symlink_to("busybox")
    (tree / "sbin/init").write_text(INIT)
    (tree / "sbin/init").chmod(0o755)
    source = random.Random(5)
    for i in range(40):
        (tree / f"data/deep/er/file{i}").write_bytes(source.randbytes(source.randrange(1, 60_000)))
    (tree / "data/large").write_bytes(source.randbytes(9_000_000))
    (tree / "data/empty").write_bytes(b"")
    (tree / "data/hard1").write_text("one file, two names")
    os.link(tree / "data/hard1", tree / "data/hard2")
    (tree / "data/link").symlink_to("deep/er/file0")
    (tree / "data/odd name \u00e4").write_text("odd")
    return tree


def sums(tree):
    return sorted(
        (hashlib.sha256(p.read_bytes()).hexdigest(), str(p.relative_to(tree)))
        for p in [*(tree / "data").rglob("*"), tree / "etc/revision"] if p.is_file() and not p.is_symlink())


def boot(words, image, extra=(), patience=150, system=("-kernel", "-initrd")):
    """Boots and gives what the console said, and the seconds."""
    console = work / f"console-{time.monotonic_ns()}"
    command = ["qemu-system-x86_64", "-accel", "tcg", "-m", "512", "-display", "none", "-monitor", "none", "-no-reboot",
               "-serial", f"file:{console}", "-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n", *extra]
    if system:
        command += ["-kernel", str(image / "vmlinuz"), "-initrd", str(image / "initrd.img"), "-append", f"console=ttyS0 quiet panic=1 {words}"]
    begin = time.monotonic()
    machine = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    processes.append(machine)
    try:
        machine.wait(patience)
    except subprocess.TimeoutExpired:
        machine.kill()
        machine.wait()
    processes.remove(machine)
    return console.read_text(errors="replace"), time.monotonic() - begin


def boot_media(image, user_data, tree):
    """The ISO by BIOS and the raw image by UEFI, each with a configuration drive; then user data in a cpio before the initrd."""
    drive = work / "drive"
    (drive / "openstack/latest").mkdir(parents=True)
    (drive / "openstack/latest/user_data").write_text(user_data)
    run("xorriso", "-as", "mkisofs", "-quiet", "-V", "config-2", "-r", "-J", "-o", work / "config.iso", drive)
    config = ["-drive", f"file={work}/config.iso,format=raw,if=virtio,readonly=on"]
    before = objects()
    console, seconds = boot("", image, ["-cdrom", str(image / "breakwater-boot.iso"), "-boot", "d", *config], system=None)
    check("ISO, BIOS, configuration drive", console, seconds, tree, "one", before)
    firmware = next((f for f in ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/ovmf/OVMF.fd") if os.path.exists(f)), None)
    if firmware:
        media = ["-drive", f"file={image}/breakwater-boot.raw,format=raw,if=virtio,snapshot=on"]
        console, seconds = boot("", image, ["-drive", f"if=pflash,format=raw,readonly=on,file={firmware}", *media, *config], 240, system=None)
        check("raw image, UEFI, configuration drive", console, seconds, tree, "one", before)
    else:
        print("UEFI: no ovmf here, not tried")
    (work / "user-data").write_text(user_data)
    cpio = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=b"user-data\n", capture_output=True, cwd=work, check=True).stdout
    both = work / "both"
    both.mkdir()
    (both / "initrd.img").write_bytes(cpio + (image / "initrd.img").read_bytes())
    shutil.copy(image / "vmlinuz", both)
    console, seconds = boot("cvmfs_panic=poweroff", both)
    check("user data in a cpio", console, seconds, tree, "one", before)


failures = []
rows = []


def check(name, console, seconds, tree, revision, before):
    seen = sorted(tuple(line[4:].strip().split("  ", 1)) for line in console.splitlines() if line.startswith("SUM "))
    asked = objects() - before
    problems = []
    if f"MARKER {revision}" not in console:
        problems.append("no marker")
    if seen != sums(tree):
        problems.append(f"files differ: {len(seen)} of {len(sums(tree))} seen")
    if "LINK deep/er/file0 2" not in console:
        problems.append("links differ")
    mount = " ".join(line[6:].strip() for line in console.splitlines() if line.startswith("MOUNT "))
    print(f"{name}: {'; '.join(problems) or 'right'}; {seconds:.1f} s, {asked} objects from the Stratum 1; {mount}", flush=True)
    rows.append({"boot": name, "seconds": round(seconds, 1), "stratum1Objects": asked, "right": not problems, "mount": mount})
    if problems:
        failures.append(name)
        print(console[-3000:])
    return asked


def main():
    image = arguments.image
    keys, settings = work / "keys", work / "settings.json"
    store_port, admin_port = port(), port()
    stratum = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stratum1)
    threading.Thread(target=stratum.serve_forever, daemon=True).start()
    trusted = work / "trusted"
    trusted.mkdir()
    settings.write_text(json.dumps({
        "Proxy": {"Listen": [f"127.0.0.1:{store_port}"]}, "Admin": {"Listen": f"127.0.0.1:{admin_port}"},
        "Store": {"Path": str(work / "store")}, "Access": {"AllowedUpstreams": ["127.0.0.0/8"]},
        "Publish": {"Path": str(work / "published"), "KeysDirectory": str(keys)},
        "Repositories": {"KeysDirectory": str(trusted), FQRN: {"Cluster": "lab"}},
        "ReverseProxy": {"Clusters": {"lab": {"Destinations": {"s1": {"Address": f"http://127.0.0.1:{stratum.server_port}/"}}}}}}))
    breakwater = (BREAKWATER, "--settings", settings)

    tree = make_tree()
    (tree / "etc/revision").write_text("one\n")
    run(*breakwater, "publish", "keys", "--new", "--master-here", "--repository", FQRN)
    public = next(keys.rglob(f"{FQRN}.pub"))
    shutil.copy(public, trusted)
    run(*breakwater, "publish", tree, "--repository", FQRN, "--tag", "v1", "--move", "HEAD")
    if image is None:
        image = work / "image"
        run(ROOT / "deployment/microvm/build.sh", "--out", image, "--key", public, "--repository", FQRN, "--server", "stratum1.lab",
            *([] if arguments.iso else ["--no-images"]))
    proxy = subprocess.Popen([str(c) for c in breakwater] + ["serve"], stdout=open(work / "serve.log", "w"), stderr=subprocess.STDOUT)
    processes.append(proxy)
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/healthz", timeout=2).read()
            break
        except OSError:
            time.sleep(0.1)

    key = "".join(line for line in public.read_text().splitlines() if "-----" not in line)
    words = f"cvmfs_http_proxy=http://10.0.2.2:{store_port} cvmfs_panic=poweroff"
    if arguments.image:
        words += f" cvmfs_branch={FQRN} cvmfs_server=stratum1.lab cvmfs_key={key}"

    if arguments.iso:
        boot_media(image, "\n".join([
            "[ucernvm-begin]", f"cvmfs_branch={FQRN}", "cvmfs_server=stratum1.lab", f'cvmfs_http_proxy="http://10.0.2.2:{store_port}"',
            f"cvmfs_key={key}", "cvmfs_tag=v1", "[ucernvm-end]", ""]), tree)
        return

    before = objects()
    console, seconds = boot(f"{words} cvmfs_tag=HEAD", image)
    check("cold", console, seconds, tree, "one", before)

    before = objects()
    console, seconds = boot(f"{words} cvmfs_tag=HEAD", image)
    if check("warm", console, seconds, tree, "one", before):
        failures.append("warm asks the Stratum 1")

    old = work / "old"
    shutil.copytree(tree, old, symlinks=True)
    (tree / "etc/revision").write_text("two\n")
    (tree / "data/deep/er/file3").write_bytes(b"a security update")
    run(*breakwater, "publish", tree, "--repository", FQRN, "--tag", "v2", "--move", "HEAD")
    wait_for_revision(2, store_port)
    run(*breakwater, "warm", FQRN, "--all")
    before = objects()
    console, seconds = boot(f"{words} cvmfs_tag=HEAD", image)
    if check("new revision", console, seconds, tree, "two", before):
        failures.append("the new revision asks the Stratum 1")

    before = objects()
    console, seconds = boot(f"{words} cvmfs_tag=v1", image)
    check("old tag", console, seconds, old, "one", before)

    stratum.shutdown()
    stratum.server_close()
    before = objects()
    console, seconds = boot(f"{words} cvmfs_tag=v2", image)
    check("Stratum 1 gone", console, seconds, tree, "two", before)

    console, seconds = boot(f"{words} cvmfs_tag=none", image)
    if "FAILED: " not in console or "there is no tag 'none'" not in console or "MARKER" in console:
        failures.append("a tag that is not there")
        print(console[-3000:])
    print(f"a tag that is not there: {seconds:.1f} s")


begun = time.monotonic()
try:
    main()
finally:
    for process in processes:
        process.terminate()
        process.wait(20)
    if arguments.keep or failures:
        print(f"kept: {work}")
    else:
        shutil.rmtree(work)
result = {
    "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.release()}; QEMU without KVM", "boots": rows, "failures": failures,
    "seconds": round(time.monotonic() - begun, 1)}
print(json.dumps(result))
if arguments.save:
    (ROOT / "perf/results/boot.json").write_text(json.dumps(result, indent=2) + "\n")
sys.exit(1 if failures else 0)
