#!/usr/bin/python3
"""Publishes a tree of many small files and publishes it again unchanged: seconds and memory.

    million.py BREAKWATER [FILES [FOLDER]]

Prints a JSON object. Memory is the largest resident set (VmHWM).
"""
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time

breakwater = sys.argv[1]
files = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
home = tempfile.mkdtemp(prefix="breakwater-million-", dir=sys.argv[3] if len(sys.argv) > 3 else None)
tree, out, keys = (os.path.join(home, name) for name in ("tree", "out", "keys"))
common = ["--repository", "os.lab.example", "--output", out, "--keys", keys]
for i in range(files):
    if i % 1000 == 0:
        folder = f"{tree}/{i // 50000}/{i // 1000}"
        os.makedirs(folder)
    with open(f"{folder}/file-{i}", "w") as file:
        file.write(f"the content of file {i}\n")


def publish(*arguments):
    started = time.monotonic()
    process = subprocess.Popen([breakwater, "publish", *arguments], stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, output
    return {"seconds": round(time.monotonic() - started, 2), "peakMiB": usage.ru_maxrss // 1024, "says": output.splitlines()[0]}


publish("keys", "--new", "--master-here", "--repository", "os.lab.example", "--keys", keys)
result = {"files": files, "machine": f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}"}
result["first"] = publish(tree, *common)
result["unchanged"] = publish(tree, *common)
with open(f"{folder}/file-{files - 1}", "a") as file:
    file.write("changed\n")
result["oneChanged"] = publish(tree, *common)
result["unchangedSecondsPerMillion"] = round(result["unchanged"]["seconds"] * 1_000_000 / files, 2)
print(json.dumps(result, indent=2))
shutil.rmtree(home)
