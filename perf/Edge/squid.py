#!/usr/bin/python3
"""Breakwater beside real squids: are its numbers where squid's are, and does it get through squids that are its parents?

    sudo perf/Edge/squid.py --breakwater proxy/bin/Release/net10.0/breakwater [--result perf/results/squid.json]

1. The same load on a squid and on Breakwater: snmpwalk of both, column by column, squidclient of both, and the pages of the
   cache manager, read as a public exporter for Prometheus reads them.
2. Two squids with passwords as parents, a Stratum 1 below a path (as an S3 bucket has it); the first dies, the password is wrong.
Runs in a network namespace of its own, for a minute and a half. Needs: apt-get install squid squidclient snmp. Exit 1 when something is not as it should be.
"""
import argparse, hashlib, json, os, re, shutil, subprocess, sys, tempfile, threading, time
import http.server
import edge
from edge import ADMIN, MIRROR, ROOT, DONE, FAILED, Mirror, check, listens, start, until, write

SQUID, PROXY, SNMP_SQUID, SNMP = 3128, 3129, 3401, 3402
PARENT1, PARENT2, CHILD, CHILD_ADMIN = 3141, 3142, 3130, 9130
BASE = "1.3.6.1.4.1.3495.1."
KEYS = {}

# What squid has and Breakwater has not, and why.
ABSENT = {
    "2.1": "cache_mgr", "2.4": "debug_options", "2.5.1": "cache_mem", "2.5.3": "watermarks of cache_dir", "2.5.4": "watermarks of cache_dir",
    "3.1.1": "page faults", "3.1.2": "reads of squid's select loop", "3.1.8": "LRU age", "3.1.9": "unlinkd", "3.1.10": "descriptors: 3.1.12, 3.1.13",
    "3.1.11": "descriptors: 3.1.12, 3.1.13", "3.2.1.4": "bytes of requests", "3.2.1.6": "ICP", "3.2.1.7": "ICP", "3.2.1.8": "ICP", "3.2.1.9": "ICP",
    "3.2.1.13": "bytes of requests", "3.2.2.1.6": "ICP", "3.2.2.1.7": "ICP", "3.2.2.1.8": "times of DNS", "4": "caches of names", "5": "tables of peers and clients",
}
# Keys of exporters that are not there, and why.
ABSENT_KEYS = re.compile(r"icp|htcp|ftp|server\.other|kbytes_in$|server\.\w+\.kbytes_out|^swap\.|select|unlink|mempool|accounted|page_faults|queued|reserved|largest|"
                         r"store_disk_files|memobjects|hot_object|storage_mem_capacity|dns|^cd\.|aborted|largest", re.I)


class SlowMirror(Mirror):
    """20 ms away; what is below /bucket/ as well, and nothing else there."""

    def do_GET(self):
        time.sleep(0.02)
        super().do_GET()


def squid(folder, name, port, more):
    own = os.path.join(folder, name)
    os.mkdir(own)
    os.chmod(own, 0o777)
    conf = write(os.path.join(own, "squid.conf"), f"""
http_port 127.0.0.1:{port}
cache_mem 64 MB
maximum_object_size_in_memory 8 MB
refresh_pattern . 1440 100% 1440
pid_filename {own}/pid
cache_log {own}/cache.log
access_log stdio:{own}/access.log
coredump_dir {own}
shutdown_lifetime 1 seconds
{more}
""")
    return start(["/usr/sbin/squid", "-N", "-f", conf], port, stdout=subprocess.DEVNULL)


def breakwater(program, folder, name, port, admin, stratum1, client, snmp=None):
    own = os.path.join(folder, name)
    os.mkdir(own)
    settings = {
        "Proxy": {"Listen": [f"127.0.0.1:{port}"]},
        "Access": {"Clients": ["127.0.0.0/24"]},
        "Admin": {"Listen": f"127.0.0.1:{admin}"},
        "Store": {"Path": os.path.join(own, "store"), "QuotaBytes": 1 << 30, "MinFreeBytes": 0},
        "Repositories": {"*.example.org": {"Cluster": "lab"}},
        "Presets": [],
        "WorkingSets": {"Learn": False, "Guess": False},
        "Logging": {"LogLevel": {"Default": "Warning"}},
        "ReverseProxy": {"Clusters": {"lab": {"Destinations": {"1": {"Address": stratum1}}, "HttpClient": client}}},
    }
    if snmp:
        settings["Snmp"] = {"Listen": f"127.0.0.1:{snmp}", "Community": "public"}
    return start([program, "serve", "--settings", write(os.path.join(own, "settings.json"), json.dumps(settings))], port, admin, stdout=subprocess.DEVNULL)


def get(port, url, source="127.0.0.1"):
    """Status and body of one request in forward form."""
    answer = subprocess.run(["curl", "-s", "-m", "20", "--interface", source, "-x", f"http://127.0.0.1:{port}", "-w", "\n%{http_code}", url], capture_output=True).stdout
    body, _, status = answer.rpartition(b"\n")
    return int(status or 0), body


def page(port, path):
    return subprocess.run(["curl", "-s", "-m", "20", f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True).stdout


def walk(port):
    """Column with its type and value, without the instance 0 of scalars."""
    lines = subprocess.run(["snmpwalk", "-On", "-v2c", "-c", "public", f"127.0.0.1:{port}", "." + BASE.rstrip(".")], capture_output=True, text=True).stdout.splitlines()
    found = {}
    for line in lines:
        name, _, value = line.partition(" = ")
        kind, _, text = value.partition(": ")
        if name.startswith("." + BASE) and text:
            found[re.sub(r"\.0$", "", name[len(BASE) + 1:])] = (kind, text.strip('"'))
    return found


def number(columns, name):
    return int(re.sub(r"^\((\d+)\).*", r"\1", columns[name][1]))


def reason(name, reasons):
    return next((why for part, why in reasons.items() if name == part or name.startswith(part + ".")), None)


def compare_snmp(ours, theirs, table):
    for name in sorted(theirs, key=lambda n: [int(i) for i in n.split(".")]):
        table[name] = [" ".join(theirs[name]), " ".join(ours[name]) if name in ours else f"absent: {reason(name, ABSENT)}"]
        if name not in ours and not reason(name, ABSENT):
            check(False, f"SNMP {name} is absent without a reason")
    check(not [n for n in ours if n not in theirs], "SNMP: no column that squid has not")
    kinds = {n: (ours[n][0], theirs[n][0]) for n in ours if ours[n][0] != theirs[n][0]}
    # squid sends these as INTEGER, its own MIB calls them Counter32.
    check(set(kinds) <= {"3.2.1.10", "3.2.1.11"}, f"SNMP: the types are squid's ({kinds})")
    for name, what in (("3.2.1.1", "requests"), ("3.2.1.2", "hits"), ("3.2.1.3", "errors"), ("3.2.1.10", "requests to servers"), ("3.2.1.15", "clients")):
        check(number(ours, name) == number(theirs, name), f"SNMP: {what}: {number(ours, name)}, squid {number(theirs, name)}")
    out, theirs_out = number(ours, "3.2.1.5"), number(theirs, "3.2.1.5")
    check(theirs_out * 0.7 <= out <= theirs_out, f"SNMP: KB out: {out} of bodies, squid {theirs_out} with heads")
    came, theirs_came = number(ours, "3.2.1.12"), number(theirs, "3.2.1.12")
    check(theirs_came * 0.7 <= came <= theirs_came, f"SNMP: KB from servers: {came} of bodies, squid {theirs_came} with heads")
    for row in (5, 60):
        for column, what in ((9, "hits"), (10, "bytes of hits")):
            mine, his = number(ours, f"3.2.2.1.{column}.{row}"), number(theirs, f"3.2.2.1.{column}.{row}")
            check(abs(mine - his) <= 10, f"SNMP: {what} of {row} min: {mine} %, squid {his} %")
        mine, his = number(ours, f"3.2.2.1.3.{row}"), number(theirs, f"3.2.2.1.3.{row}")
        check(15 <= mine <= 200 and 15 <= his <= 200, f"SNMP: median of misses of {row} min: {mine} ms, squid {his} ms, the server takes 20 ms")
        mine, his = number(ours, f"3.2.2.1.5.{row}"), number(theirs, f"3.2.2.1.5.{row}")
        check(mine <= 10 and his <= 10, f"SNMP: median of hits of {row} min: {mine} ms, squid {his} ms")


# The next three read the pages as a public exporter does, rule by rule: boynux/squid-exporter on GitHub, collector/client.go at 7a7d916 (decodeCounterStrings,
# decodeServiceTimeStrings, GetInfos with decodeInfoStrings). What it cannot read it logs as an error: those lines are given back, too.


def value_of(text):
    try:
        return float(text)
    except ValueError:
        return None


def counters(text):
    """A line is 'key = value' and perhaps more behind a blank."""
    found, unread = {}, []
    for line in text.splitlines():
        key, equal, value = line.partition("=")
        number_there = value_of(value.strip().split(" ")[0])
        if equal and key.strip() and number_there is not None:
            found[key.strip()] = number_there
        else:
            unread.append(line)
    return found, unread


def service_times(text):
    """'section: 5%  value  value' is section_5 with the first value."""
    found, unread = {}, []
    for line in text.splitlines():
        if line.endswith(":"):
            continue
        key, _, value = line.partition(":")
        key, value = re.sub(r"[()]", "", key.strip().replace(" ", "_")), value.strip()
        if "%" in value and value.partition("%")[0].strip():
            percent, _, rest = value.partition("%")
            key, value = f"{key}_{percent.strip()}", rest.strip().split(" ")[0]
        if key and value_of(value) is not None:
            found[key] = value_of(value)
        else:
            unread.append(line)
    return found, unread


def infos(text):
    """'name: value more', 'name: 5min: x%, 60min: y%', or 'value name'."""
    found, unread = {}, []
    for line in text.splitlines():
        if line.endswith(":"):
            continue
        key, colon, value = line.partition(":")
        if not colon:
            number_there, blank, name = line.strip().partition(" ")
            if blank and value_of(number_there) is not None:
                found[re.sub("[ -]", "_", name.strip())] = value_of(number_there)
            else:
                unread.append(line)
            continue
        key, words = re.sub(r"[(),/]", "", key.strip().replace(" ", "_")), value.strip().split(" ")
        if key in ("Squid_Object_Cache", "Build_Info", "Service_Name"):
            found[key] = words[1] if key == "Squid_Object_Cache" else value.strip()   # it crashes when there is no second word
        elif key in ("Start_Time", "Current_Time"):
            continue
        elif words[0] == "5min:" and words[2] == "60min:":
            found[key + "_5min"], found[key + "_60min"] = (value_of(re.sub("[%,]", "", word)) for word in (words[1], words[3]))
        elif (number_there := value_of(re.sub("[%,]", "", words[0]))) is not None:
            found[key] = number_there
        else:
            unread.append(line)
    return found, unread


def compare_pages():
    for name, split in (("counters", counters), ("service_times", service_times), ("info", infos)):
        (ours, unread), (theirs, unread_theirs) = (split(page(port, f"/squid-internal-mgr/{name}")) for port in (ADMIN, SQUID))
        lacking = [key for key in theirs if key not in ours and not ABSENT_KEYS.search(key)]
        check(theirs and not lacking, f"mgr:{name}: an exporter reads {len(set(ours) & set(theirs))} keys as of squid, without a reason lacking: {lacking}")
        check(len(unread) <= len(unread_theirs), f"mgr:{name}: lines that an exporter cannot read: {unread}, squid {len(unread_theirs)}")
        KEYS[name] = {key: [theirs.get(key), ours.get(key)] for key in sorted(set(theirs) | set(ours))}
        if name == "counters":
            for key in ("client_http.requests", "client_http.hits", "client_http.errors", "server.http.requests", "server.all.errors"):
                # squid counts who asks for its pages among the requests, Breakwater has a port of its own for them
                spare = 20 if key == "client_http.requests" else 0
                check(0 <= theirs[key] - ours[key] <= spare, f"mgr:counters: {key}: {ours[key]:.0f}, squid {theirs[key]:.0f}")
        said = [subprocess.run(["squidclient", "-h", "127.0.0.1", "-p", str(port), f"mgr:{name}"], capture_output=True, text=True) for port in (ADMIN, SQUID)]
        asked, asked_theirs = (split(answer.stdout.partition("\n\n")[2].replace("\r", ""))[0] for answer in said)
        check(said[0].returncode == 0 and set(asked) == set(ours) and set(asked_theirs) == set(theirs), f"squidclient mgr:{name}: {len(asked)} keys, squid {len(asked_theirs)}")
    for port in (ADMIN, SQUID):
        check("Last 5 minutes" in page(port, "/squid-internal-mgr/utilization"), f"mgr:utilization of port {port}")
    said = page(PROXY, "/squid-internal-mgr/info")
    check("Admin:Listen" in said and "/squid-internal-mgr/" in said, f"the clients' port says where the pages are: {said.strip()[:200]!r}")


def same_load(program, folder, paths, table):
    processes = [squid(folder, "squid", SQUID, f"snmp_port {SNMP_SQUID}\nacl public snmp_community public\nsnmp_access allow public\nhttp_access allow all")]
    try:
        processes.append(breakwater(program, folder, "breakwater", PROXY, ADMIN, f"http://127.0.0.1:{MIRROR}/", {}, SNMP))
        for turn in range(3):
            for path in paths:
                for port in (SQUID, PROXY):
                    answer = get(port, f"http://127.0.0.1:{MIRROR}{path}", f"127.0.0.{31 + turn}")
                    if answer != (200, Mirror.objects[path]):
                        check(False, f"port {port} answers {path} with {answer[0]}")
        time.sleep(66)  # squid notes its averages once a minute
        compare_snmp(walk(SNMP), walk(SNMP_SQUID), table)
        compare_pages()
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def parents(program, folder, paths):
    digest = subprocess.run(["openssl", "passwd", "-apr1", "secret"], capture_output=True, text=True).stdout.strip()
    users = write(os.path.join(folder, "users"), f"site:{digest}\n")
    locked = f"auth_param basic program /usr/lib/squid/basic_ncsa_auth {users}\nacl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all\ncache deny all"
    first, second = squid(folder, "parent1", PARENT1, locked), squid(folder, "parent2", PARENT2, locked)
    processes = [first, second]

    def log(name):
        with open(os.path.join(folder, name, "access.log")) as f:
            return f.read()

    def client(password, *others):
        return {"WebProxy": {"Address": f"http://site:{password}@127.0.0.1:{PARENT1}", "Others": [f"http://site:{password}@127.0.0.1:{port}" for port in others]}}

    stratum1 = f"http://127.0.0.1:{MIRROR}/bucket/"
    url = "http://s1.example.org"
    try:
        child = breakwater(program, folder, "child", CHILD, CHILD_ADMIN, stratum1, client("secret", PARENT2))
        processes.append(child)
        check(get(CHILD, url + paths[0]) == (200, Mirror.objects[paths[0]]), "through a squid with a password, from a Stratum 1 below a path")
        check(until(lambda: f"/bucket{paths[0]} site " in log("parent1")), "the first parent saw the user, and the path of the bucket")
        check(paths[0] not in log("parent2"), "the second was not asked")
        first.kill()
        first.wait(30)
        begun = time.monotonic()
        check(get(CHILD, url + paths[1]) == (200, Mirror.objects[paths[1]]), "the first parent is dead: through the second")
        check(time.monotonic() - begun < 5, "before a client leaves")
        check(until(lambda: f"/bucket{paths[1]} site " in log("parent2")), "the second parent saw it")
        ready = page(CHILD_ADMIN, "/healthz/ready")
        check("parent-proxy" in ready and str(PARENT1) in ready and "secret" not in ready, "the finding names the dead one, not its password")
        child.terminate()
        child.wait(30)
        processes.append(breakwater(program, folder, "wrong", CHILD, CHILD_ADMIN, stratum1, {"WebProxy": {"Address": f"http://site:guess@127.0.0.1:{PARENT2}"}}))
        status, body = get(CHILD, url + paths[2])
        check(status >= 500 and str(PARENT2).encode() in body and b"guess" not in body, f"a wrong password: {status}, the parent is named, the password is not")
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--breakwater", required=True)
    parser.add_argument("--result")
    options = parser.parse_args()
    if missing := [p for p in ("squid", "squidclient", "snmpwalk", "curl", "openssl") if not shutil.which(p) and not os.path.exists("/usr/sbin/" + p)]:
        sys.exit(f"missing: {', '.join(missing)}; apt-get install squid squidclient snmp curl openssl")
    if not os.environ.get("EDGE_ALONE"):
        os.execvpe("unshare", ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "edge", sys.executable, *sys.argv], {**os.environ, "EDGE_ALONE": "1"})

    paths = []
    for _ in range(20):
        body = os.urandom(40_000)
        name = hashlib.sha1(body).hexdigest()
        paths.append(f"/cvmfs/edge.example.org/data/{name[:2]}/{name[2:]}")
        Mirror.objects[paths[-1]] = Mirror.objects["/bucket" + paths[-1]] = body
    server = http.server.ThreadingHTTPServer(("127.0.0.1", MIRROR), SlowMirror)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    folder = tempfile.mkdtemp(prefix="edge-")
    os.chmod(folder, 0o755)
    program, table = os.path.abspath(options.breakwater), {}
    try:
        parents(program, folder, paths)
        same_load(program, folder, paths, table)
    finally:
        shutil.rmtree(folder)

    print(f"{len(DONE)} checks, {len(FAILED)} failed")
    if options.result:
        commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
        version = subprocess.run(["/usr/sbin/squid", "-v"], capture_output=True, text=True).stdout.splitlines()[0]
        write(options.result, json.dumps({
            "benchmark": "squid", "squid": version, "checks": DONE, "failed": FAILED, "snmp": {"column": ["squid", "breakwater"], **table}, "pages": KEYS,
            "commit": commit, "measured": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        }, indent=1) + "\n")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
