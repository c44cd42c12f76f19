#!/usr/bin/python3
"""Kills the real publisher (kill -9) at seeded moments: each time the old revision or the new one is there, whole.

    kill.py BREAKWATER [KILLS [SEED]]

The tree changes before each run. After each kill the folder is checked with every object's hash, and read back with readback.py
when a new revision is shown. Prints one line a kill and a sum; exit 0 when no kill left anything but a whole revision.
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

breakwater = sys.argv[1]
kills = int(sys.argv[2]) if len(sys.argv) > 2 else 50
seed = int(sys.argv[3]) if len(sys.argv) > 3 else 23
here = os.path.dirname(os.path.abspath(__file__))
random.seed(seed)
home = tempfile.mkdtemp(prefix="breakwater-kill-")
tree, out, keys = (os.path.join(home, name) for name in ("tree", "out", "keys"))
common = ["--repository", "os.lab.example", "--output", out, "--keys", keys]


def change(round_):
    for d in range(8):
        os.makedirs(f"{tree}/d{d}", exist_ok=True)
        if d % 2:
            open(f"{tree}/d{d}/.cvmfscatalog", "w").close()
        for f in range(60):
            if round_ == 0 or random.random() < 0.5:
                with open(f"{tree}/d{d}/f{f}", "wb") as file:
                    file.write(random.randbytes(random.choice((10, 3000, 200000))))
    with open(f"{tree}/big", "wb") as file:
        file.write(random.randbytes(9 << 20))


def run(*arguments):
    return subprocess.run([breakwater, "publish", *arguments], capture_output=True, text=True)


def revision():
    with open(f"{out}/cvmfs/os.lab.example/.cvmfspublished", "rb") as file:
        return int(next(line[1:] for line in file.read().split(b"\n") if line.startswith(b"S")))


change(0)
assert run("keys", "--new", "--master-here", "--repository", "os.lab.example", "--keys", keys).returncode == 0
started = time.monotonic()
first = run(tree, *common)
assert first.returncode == 0, first.stderr
longest = time.monotonic() - started
shown, old, new, bad = revision(), 0, 0, 0
for i in range(kills):
    change(i + 1)
    publisher = subprocess.Popen([breakwater, "publish", tree, *common], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    moment = random.uniform(0.05, 1.05) * longest
    time.sleep(moment)
    publisher.send_signal(signal.SIGKILL)
    publisher.wait()
    now = revision()
    checked = run("check", "--verify", *common)
    # The reflog and the manifest are two files: between them a kill leaves a reflog that the next run mends.
    whole = checked.returncode == 0 or (checked.returncode == 65 and checked.stderr.count("\n") == 1 and "reflog" in checked.stderr)
    if now not in (shown, shown + 1) or not whole:
        bad += 1
        print(f"kill {i} at {moment:.3f} s: revision {now} after {shown}: {checked.stdout}{checked.stderr}")
    elif now == shown:
        old += 1
    else:
        new += 1
        if publisher.returncode != -signal.SIGKILL:  # else the tree may have been published before its last change was read
            bad += subprocess.run([sys.executable, f"{here}/readback.py", tree, f"{out}/cvmfs/os.lab.example"], capture_output=True).returncode
    shown = now
last = run(tree, *common)
end = subprocess.run([sys.executable, f"{here}/readback.py", tree, f"{out}/cvmfs/os.lab.example"], capture_output=True, text=True)
bad += last.returncode != 0 or end.returncode != 0 or run("check", "--verify", *common).returncode != 0
print(f"{kills} kills, seed {seed}: {old} left the old revision, {new} the new one, {bad} anything else; then: {end.stdout.strip()}")
shutil.rmtree(home)
sys.exit(1 if bad else 0)
