#!/usr/bin/python3
"""Boots a whole Debian (debootstrap, systemd) in machines of QEMU (no KVM) whose root comes file by file through Breakwater, and through squid.

Two revisions by real upgrades of packages. Each boot is counted at the proxy: requests, misses, bytes, time that the machine waited for
answers; and at the console: seconds until systemd has started its multi-user target. Cold, warm, a new revision after it was fetched ahead,
the first revision again by its tag, three machines at once on an empty cache, and without the Stratum 1.

    debian.py --image DIRECTORY [--tree DIRECTORY] [--delay 25] [--memory 1024] [--keep] [--save]

Needs root, network to deb.debian.org, dotnet build -c Release proxy; apt-get install --no-install-recommends qemu-system-x86 debootstrap squid;
--image is what deployment/microvm/build.sh --user-data-key made. --tree: the root of a Debian 12 that debootstrap made; it is copied.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from machines import FQRN, MACHINE, ROOT, Lab, free_port, need, run

arguments = argparse.ArgumentParser()
arguments.add_argument("--image", type=pathlib.Path, required=True)
arguments.add_argument("--tree", type=pathlib.Path)
arguments.add_argument("--delay", type=float, default=25, help="milliseconds to the Stratum 1")
arguments.add_argument("--memory", type=int, default=1024, help="MB of a machine")
arguments.add_argument("--keep", action="store_true")
arguments.add_argument("--save", action="store_true", help="write perf/results/boot-debian.json")
arguments = arguments.parse_args()
need("squid", "cp", *([] if arguments.tree else ["debootstrap"]))

MARKER = """[Unit]
Description=Says that the system is up, and switches off
After=multi-user.target
[Service]
Type=oneshot
StandardOutput=tty
TTYPath=/dev/console
ExecStart=/bin/sh -c 'echo; echo "MARKER $(cat /etc/revision) $(dpkg-query -f . -W | wc -c) packages, $(uname -r)"; systemctl --no-block poweroff'
[Install]
WantedBy=graphical.target
"""
rows = []


def chroot(tree, *command):
    return run("chroot", tree, "env", "DEBIAN_FRONTEND=noninteractive", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *command)


def older(tree):
    """Brings packages back to an older version of which the archive still has the file, so that there is something to upgrade."""
    back = []
    for line in chroot(tree, "dpkg-query", "-W", "-f", "${Package} ${Version}\n").splitlines():
        name, version = line.split()
        known = [words[2] for words in (x.split() for x in chroot(tree, "apt-cache", "madison", name).splitlines()) if len(words) > 2]
        back += [f"{name}={v}" for v in known if subprocess.run(["dpkg", "--compare-versions", v, "lt", version]).returncode == 0][:1]
    if back:
        chroot(tree, "apt-get", "install", "-y", "-qq", "--allow-downgrades", "--no-install-recommends", *back)
    return back


def make_tree(work):
    tree = work / "tree"
    if arguments.tree:
        run("cp", "-a", arguments.tree, tree)
    else:
        run("debootstrap", "--include=systemd-sysv", "bookworm", tree, "http://deb.debian.org/debian")
    shutil.copy("/etc/resolv.conf", tree / "etc/resolv.conf")
    (tree / "etc/apt/sources.list").write_text("".join(f"deb http://deb.debian.org/{x} main\n" for x in (
        "debian bookworm", "debian bookworm-updates", "debian-security bookworm-security")))
    (tree / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (tree / "usr/sbin/policy-rc.d").chmod(0o755)
    chroot(tree, "apt-get", "update", "-qq")
    back = older(tree)
    (tree / "etc/systemd/system/marker.service").write_text(MARKER)
    chroot(tree, "systemctl", "enable", "-q", "marker.service")
    chroot(tree, "systemctl", "set-default", "-q", "graphical.target")
    (tree / "etc/fstab").write_text("")
    (tree / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    (tree / "etc/revision").write_text("one\n")
    forget_lists(tree)
    return tree, back


def forget_lists(tree):
    """What apt-get update brings is no part of the system, and larger than all that a boot reads."""
    chroot(tree, "sh", "-c", "apt-get clean; rm -rf /var/lib/apt/lists/*")


def upgrade(tree):
    chroot(tree, "apt-get", "update", "-qq")
    said = chroot(tree, "apt-get", "-y", "upgrade")
    forget_lists(tree)
    (tree / "etc/revision").write_text("two\n")
    return re.findall(r"^Unpacking (\S+) \((\S+)\) over \((\S+)\)", said, re.M)


class Breakwater:
    name = "breakwater"

    def __init__(self, lab):
        self.lab, self.port, self.log = lab, lab.port, lab.access_log
        self.process = lab.serve()

    def restart_empty(self):
        self.lab.stop(self.process)
        shutil.rmtree(self.lab.work / "store")
        self.process = self.lab.serve()

    @staticmethod
    def read(line):
        """Whether it counts, whether it went upstream, bytes, milliseconds."""
        entry = json.loads(line)
        return "/cvmfs/" in entry["url"], entry["result"] in ("miss", "joined", "revalidated"), entry["bytes"], entry["durationMs"]


class Squid:
    name = "squid"

    def __init__(self, lab):
        self.lab, self.port = lab, free_port()
        own = lab.work / "squid"
        own.mkdir()
        own.chmod(0o777)
        self.log = own / "access.log"
        self.conf = own / "squid.conf"
        self.conf.write_text(f"""http_port 127.0.0.1:{self.port}
acl all_of_it src all
http_access allow all_of_it
cache_peer 127.0.0.1 parent {lab.stratum1.port} 0 no-query no-digest originserver default
never_direct allow all
cache_mem 2048 MB
maximum_object_size_in_memory 64 MB
maximum_object_size 64 MB
collapsed_forwarding on
pid_filename {own}/pid
cache_log {own}/cache.log
access_log stdio:{self.log}
buffered_logs off
coredump_dir {own}
shutdown_lifetime 1 seconds
pinger_enable off
visible_hostname squid.lab
""")
        self.serve()

    def serve(self):
        self.process = self.lab.start("squid", "-N", "-f", self.conf, log="squid.log")
        time.sleep(5)

    def restart_empty(self):
        self.lab.stop(self.process)
        self.serve()

    @staticmethod
    def read(line):
        words = line.split()
        return "/cvmfs/" in words[6], "MISS" in words[3] or "REFRESH" in words[3], int(words[4]), float(words[1])


def boot(lab, proxy, name, tag, revision, machines=1):
    before, offset = lab.stratum1.objects(), proxy.log.stat().st_size if proxy.log.exists() else 0
    words = lab.words(f"http://10.0.2.2:{proxy.port}") + f" cvmfs_tag={tag} systemd.show_status=0"
    begin = time.monotonic()
    running = [lab.machine(words, arguments.image, memory=arguments.memory) for _ in range(machines)]
    marked = {}
    while len(marked) < machines and time.monotonic() - begin < 600 * machines:
        for process, console in running:
            if console not in marked and console.exists() and f"MARKER {revision} " in console.read_text(errors="replace"):
                marked[console] = time.monotonic() - begin
        if all(process.poll() is not None for process, _ in running):
            break
        time.sleep(0.1)
    clean = 0
    for process, console in running:
        try:
            clean += process.wait(120) == 0
            lab.processes.remove(process)
        except subprocess.TimeoutExpired:
            lab.stop(process)
    time.sleep(3)
    with open(proxy.log, encoding="utf-8", errors="replace") as log:
        log.seek(offset)
        seen = [entry for entry in map(proxy.read, log) if entry[0]]
    row = {
        "proxy": proxy.name, "boot": name, "machines": machines, "booted": len(marked), "switchedOff": clean, "requests": len(seen),
        "misses": sum(e[1] for e in seen), "megabytes": round(sum(e[2] for e in seen) / 1e6, 1),
        "stratum1Objects": lab.stratum1.objects() - before, "waitsAtTheProxySeconds": round(sum(e[3] for e in seen) / 1000, 2),
        "secondsToMarker": [round(s, 1) for s in sorted(marked.values())]}
    rows.append(row)
    print(json.dumps(row), flush=True)
    if len(marked) < machines:
        print(next(console for _, console in running if console not in marked).read_text(errors="replace")[-3000:], flush=True)


def size(folder):
    return int(run("du", "-sb", folder).split()[0])


def main(lab):
    tree, back = make_tree(lab.work)
    system = {"bytes": size(tree), "files": int(run("sh", "-c", f"find {tree} -type f | wc -l")),
              "packages": len(chroot(tree, "dpkg-query", "-f", "${Package}\n", "-W").splitlines())}
    lab.publish(tree, "v1")
    system["publishedBytes"] = size(lab.published)
    print(json.dumps(system), f"{len(back)} packages are of an older version", flush=True)
    proxies = [Breakwater(lab), Squid(lab)]
    for name in ("cold", "warm"):
        for proxy in proxies:
            boot(lab, proxy, name, "HEAD", "one")
    upgraded = upgrade(tree)
    lab.publish(tree, "v2")
    system["upgraded"] = [f"{name} {old} to {new}" for name, new, old in upgraded]
    system["publishedBytesOfBoth"] = size(lab.published)
    print(f"upgraded: {', '.join(system['upgraded'])}", flush=True)
    before = lab.stratum1.objects()
    for proxy in proxies:
        lab.wait_for_revision(2, proxy.port)
    system["fetchedAhead"] = lab.stratum1.objects() - before
    for proxy in proxies:
        boot(lab, proxy, "new revision", "HEAD", "two")
    for proxy in proxies:
        boot(lab, proxy, "first revision by its tag", "v1", "one")
    for proxy in proxies:
        proxy.restart_empty()
        boot(lab, proxy, "three at once, cold", "HEAD", "two", machines=3)
    lab.stratum1.stop()
    for proxy in proxies:
        boot(lab, proxy, "Stratum 1 gone", "HEAD", "two")
    return system


begun = time.monotonic()
with Lab(arguments.delay / 1000) as lab:
    lab.keep = arguments.keep
    system = main(lab)
result = {
    "machine": MACHINE, "commit": run("git", "-C", ROOT, "rev-parse", "--short", "HEAD").strip(), "millisecondsToTheStratum1": arguments.delay,
    "squid": run("squid", "-v").splitlines()[0], "imageBytes": sum((arguments.image / f).stat().st_size for f in ("vmlinuz", "initrd.img")),
    "system": system, "boots": rows, "seconds": round(time.monotonic() - begun)}
print(json.dumps(result))
if arguments.save:
    (ROOT / "perf/results/boot-debian.json").write_text(json.dumps(result, indent=1) + "\n")
sys.exit(0 if all(row["booted"] == row["machines"] for row in rows if row["proxy"] == "breakwater") else 1)
