"""What the scripts of this folder measured, in perf/results/http.json: an entry a script, with the build and the machine."""
import json, os, pathlib, re, subprocess, time

RESULTS = pathlib.Path(__file__).resolve().parent.parent / "results" / "http.json"


def machine():
    with open("/proc/cpuinfo") as info:
        model = re.search(r"model name\s*: (.*)", info.read())
    with open("/proc/meminfo") as info:
        memory = round(int(info.readline().split()[1]) / (1 << 20))
    return f"{model.group(1).strip() if model else '?'}, {os.cpu_count()} cores, {memory} GiB, Linux {os.uname().release}; proxy, clients and origin share them"


def save(name, breakwater, **figures):
    """Writes the entry of one script anew; the others stay."""
    build = subprocess.run([breakwater, "--version"], capture_output=True, text=True).stdout.strip()
    entries = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    entries[name] = {**figures, "breakwater": build, "machine": machine(), "measured": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}
    RESULTS.write_text(json.dumps(dict(sorted(entries.items())), indent=1) + "\n")
