#!/usr/bin/env python3
"""Programs of a published tree (a debootstrapped Debian), started for the first time through the read-only mount of deployment/microvm/client, with the
Stratum 1 some milliseconds away: without guesses, with them, and with the working set of the same programs known. Needs root and /dev/fuse.

Build first: dotnet build -c Release proxy perf/Storm deployment/microvm/client; publish the tree with `breakwater publish DIR -r FQRN -o OUT -k KEYS`.
usage: perf/guess-tree.py --published OUT --keys KEYS --repository os.lab.example [--rtt-ms 30] [--rounds 3] | tee perf/results/guess-tree.json
"""
import argparse, json, os, pathlib, statistics, subprocess, time

from lab import Lab, MACHINE, ROOT, get, ready

MOUNT = ROOT / "deployment/microvm/client/bin/Release/net10.0/breakwater-mount.dll"
PROGRAMS = {
    "shell job": "ls -l /etc > /dev/null; dpkg -l > /dev/null; grep -r root /etc/pam.d > /dev/null; sort /etc/group /etc/passwd | awk -F: '{print $1}' | uniq -c > /dev/null; tar cf /dev/null /etc",
    "python": "python3 -c 'import os, re, collections, subprocess, argparse'",
    "perl": "perl -e 'use POSIX; use File::Find; use Socket; use IO::File; use Getopt::Long;'",
    "git": "git --version; git help -a > /dev/null; git config --list",
    "apt": "apt-cache policy > /dev/null; apt-config dump > /dev/null",
}
parser = argparse.ArgumentParser()
parser.add_argument("--published", required=True)
parser.add_argument("--keys", required=True)
parser.add_argument("--repository", default="os.lab.example")
parser.add_argument("--rtt-ms", type=float, default=30)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--concurrent", type=int, default=8)
arguments = parser.parse_args()
FQRN = arguments.repository


def one(command, guess, profile=None, learn=False):
    with Lab() as lab:
        tar = lab.work / "repository.tar"
        subprocess.run(["tar", "-C", f"{arguments.published}/cvmfs", "-cf", tar, FQRN], check=True)
        upstream = lab.upstream("--tar", tar, "--delay-ms", arguments.rtt_ms)
        _, port = lab.breakwater([upstream], FQRN, Repositories__KeysDirectory=arguments.keys, WorkingSets__Learn="true",
                                 WorkingSets__Guess=str(guess).lower(), WorkingSets__MaxConcurrentPrefetches=str(arguments.concurrent))
        ready(port, f"/cvmfs/{FQRN}/.cvmfspublished")
        if profile:
            lab.teach(FQRN, profile)
        before = json.loads(get(upstream, "/_control/counters")[1])
        point = lab.work / "mnt"
        point.mkdir()
        begun = time.monotonic()
        mount = lab.start("dotnet", MOUNT, FQRN, point, "--server", f"http://127.0.0.1:{upstream}", "--proxy", f"http://127.0.0.1:{port}", "--keys", arguments.keys, "--cache", lab.work / "cache")
        while not os.path.ismount(point):
            assert mount.poll() is None and time.monotonic() - begun < 60
            time.sleep(0.005)
        mounted = time.monotonic()
        done = subprocess.run(["unshare", "-m", "sh", "-c", f"mount --bind /dev {point}/dev && exec chroot {point} /bin/bash -c \"$1\"", "sh", command], capture_output=True, text=True)
        seconds = time.monotonic() - mounted
        subprocess.run(["umount", point], check=True)
        time.sleep(2)
        after = json.loads(get(upstream, "/_control/counters")[1])
        learned = lab.learned(FQRN, "boot-trunk", 60) if learn else None
        assert done.returncode == 0, done.stderr[-500:]
        return seconds, after["objectRequests"] - before["objectRequests"], after["bodyBytes"] - before["bodyBytes"], learned


results = {}
for name, command in PROGRAMS.items():
    seconds, asked, bytes, profile = one(command, False, learn=True)
    rounds = [[one(command, False), one(command, True)] + ([one(command, False, profile)] if profile else []) for _ in range(arguments.rounds)]
    off, on, *known = (statistics.median(r[i][0] for r in rounds) for i in range(len(rounds[0])))
    results[name] = {
        "objects": asked, "withoutS": round(off, 3), "withS": round(on, 3), "ratio": round(on / off, 3),
        "requestsInVain": round((statistics.median(r[1][1] for r in rounds) - asked) / asked, 2),
        "bytesInVain": round((statistics.median(r[1][2] for r in rounds) - bytes) / bytes, 2)}
    if known:
        results[name] |= {"knownS": round(known[0], 3), "ratioKnown": round(known[0] / off, 3), "shareOfSaving": round((off - on) / (off - known[0]), 2)}
print(json.dumps({"benchmark": "guess-tree", "rttMs": arguments.rtt_ms, "concurrentPrefetches": arguments.concurrent, "programs": results,
                  "machine": f"{MACHINE}, load average {os.getloadavg()[0]:.1f}"}))
