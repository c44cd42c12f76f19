#!/usr/bin/env python3
"""The public HTTP caching suite (github.com/http-tests/cache-tests) against Breakwater and the caches that Debian has.

usage: conformance.py CHECKOUT [--only NAME ...] [--runs N] [--save]

CHECKOUT is a checkout of the suite at commit b55b8bd with its one library beside it (npm install undici@7 there). Every proxy is a
reverse proxy before the suite's own origin, all on loopback, with processes and directories of this run. A proxy that is not installed
is left out: apt-get install apache2 haproxy nginx squid trafficserver varnish.
"""
import argparse, json, os, shutil, signal, socket, subprocess, sys, tempfile, time

from peers import PEERS

HERE = os.path.dirname(os.path.abspath(__file__))
RESULTS = os.path.join(HERE, "..", "results")
COMMIT = "b55b8bd"
ORIGIN_PORT = 8000


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, process, deadline=60):
    until = time.monotonic() + deadline
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"process ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("did not listen in time")


def stop(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def suite(checkout, base, only=""):
    """One pass of the suite: test -> true, or why not."""
    env = dict(os.environ, npm_config_base=base, npm_config_id=only, npm_package_config_id="")
    done = subprocess.run(["node", "--no-warnings", "test-engine/cli.mjs"], cwd=checkout, env=env, capture_output=True, text=True, timeout=400)
    if only:
        return done.stdout + done.stderr
    if "{" not in done.stdout:
        raise RuntimeError(f"the suite ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout[done.stdout.index("{"):])


def score(checkout, results):
    done = subprocess.run(["node", os.path.join(HERE, "score.mjs"), checkout], input=json.dumps(results), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def run(name, peer, checkout, runs, only):
    scores = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="conformance-") as directory:
            os.chmod(directory, 0o777)
            port = free_port()
            with open(os.path.join(directory, "output"), "wb") as log:
                process = subprocess.Popen(peer["start"](directory, port, ORIGIN_PORT), stdout=log, stderr=log, cwd=directory, start_new_session=True)
            try:
                wait_for(port, process)
                base = f"http://localhost:{port}"
                if only:
                    print(suite(checkout, base, only))
                    return []
                scores.append(score(checkout, suite(checkout, base)))
            finally:
                stop(process)
    return scores


def machine():
    """What was measured, and on what."""
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), "?")
    with open("/proc/meminfo") as info:
        memory = round(int(next(info).split()[1]) / 1024 / 1024)
    commit = subprocess.run(["git", "-C", HERE, "log", "-1", "--format=%h", "--abbrev=7", "--", "../../proxy", "../../cachestore"], capture_output=True, text=True).stdout.strip()
    return (f"Commit {commit}, {time.strftime('%Y-%m-%d', time.gmtime())}, {os.cpu_count()} processors ({model}), {memory} GiB of memory, "
            f"Linux {os.uname().release}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout")
    parser.add_argument("--only", nargs="*", default=list(PEERS))
    parser.add_argument("--runs", type=int, default=1, help="of Breakwater; each of the others runs once")
    parser.add_argument("--test", default="", help="one test with all that is sent, nothing saved")
    parser.add_argument("--save", action="store_true")
    arguments = parser.parse_args()
    checkout = os.path.abspath(arguments.checkout)
    head = subprocess.run(["git", "-C", checkout, "rev-parse", "--short=7", "HEAD"], capture_output=True, text=True).stdout.strip()
    if head != COMMIT:
        sys.exit(f"{checkout} is at {head or 'no commit'}; the measure is {COMMIT}.")
    if not os.path.isdir(os.path.join(checkout, "node_modules", "undici")):
        sys.exit(f"Run in {checkout}: npm install --omit=dev undici@7")

    env = dict(os.environ, npm_config_protocol="http", npm_config_port=str(ORIGIN_PORT), npm_config_pidfile=os.devnull)
    origin = subprocess.Popen(["node", "test-engine/server/server.mjs"], cwd=checkout, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    table = {}
    try:
        wait_for(ORIGIN_PORT, origin)
        for name in arguments.only:
            peer = PEERS[name]
            if shutil.which(peer["program"]) is None and not os.path.exists(peer["program"]):
                print(f"{name}: not installed, left out")
                continue
            try:
                runs = run(name, peer, checkout, arguments.runs if name == "breakwater" else 1, arguments.test)
            except (RuntimeError, subprocess.TimeoutExpired) as fault:
                print(f"{name}: left out: {fault}")
                continue
            if not runs:
                continue
            table[name] = {"version": peer["version"](), "runs": runs}
            for one in runs:
                print(f"{name}: " + ", ".join(f"{kind} {one[kind][1]} of {one[kind][2]} (alone {one[kind][0]})" for kind in ("required", "optimal", "check")))
        if "breakwater" in table:
            for failed in table["breakwater"]["runs"][0]["failed"]:
                print(f"  {failed['kind']:8} {failed['id']}: {failed['why']}")
    finally:
        stop(origin)
    if arguments.save:
        save(table)


def save(table):
    with open(os.path.join(RESULTS, "conformance.json"), "w") as out:
        json.dump({"suite": f"http-tests/cache-tests {COMMIT}", "machine": machine(), "proxies": table}, out, indent=1)
        out.write("\n")
    lines = ["# HTTP caching by the public suite", "",
             f"`http-tests/cache-tests` at {COMMIT}, each proxy before the suite's origin, one run after the other on one machine, by `perf/Conformance`.",
             f"{machine()}.",
             "A test counts by the suite's own rules: only if those that it depends on pass as well; in brackets without that.", "",
             "| | version | required | optimal | behaviour |", "|---|---|---:|---:|---:|"]
    order = sorted(table.items(), key=lambda item: [-item[1]["runs"][0][kind][1] for kind in ("required", "optimal")])
    for name, entry in order:
        one = entry["runs"][0]
        cells = " | ".join(f"{one[kind][1]} ({one[kind][0]}) / {one[kind][2]}" for kind in ("required", "optimal", "check"))
        lines.append(f"| {name} | {entry['version']} | {cells} |")
    mine = table.get("breakwater", {"runs": []})["runs"]
    lines += ["", f"Breakwater, {len(mine)} runs: " + "; ".join(f"{one['required'][1]} / {one['optimal'][1]}" for one in mine) + ".", "",
              "## What Breakwater does not pass", ""]
    from reasons import REASONS
    for failed in mine[0]["failed"] if mine else []:
        lines.append(f"- `{failed['id']}` ({failed['kind']}): {REASONS.get(failed['id'], failed['why'])}")
    with open(os.path.join(RESULTS, "conformance.md"), "w") as out:
        out.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
