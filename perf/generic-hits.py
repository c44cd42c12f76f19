#!/usr/bin/env python3
"""Hits of ordinary HTTP, beside nginx, Varnish, Apache Traffic Server and squid where they are installed (apt-get install nginx-light varnish trafficserver squid).

An nginx serves files with ETag, Last-Modified and a lifetime of an hour; each cache has them all and answers from what it has: rounds in turn, each the other way
round, medians. Breakwater and squid are asked in absolute form, the others as fronts of the origin. squid and ATS keep all in memory, which is their fastest.
--before BUILD measures another build of Breakwater in the same run. All of it in a network namespace of its own, where every connection has the same congestion
control, as in perf/Peers (root). Nothing else may run. Goal: 1.1 times the best peer at 4 KB; larger ones are reported. Prints one line of JSON.

Build: dotnet build -c Release proxy perf/Storm
usage: sudo perf/generic-hits.py [--before BUILD] [--sizes 4096 262144 8388608] [--rounds 5] [--seconds 3] [--congestion cubic] | tee perf/results/generic-hits.json
"""
import argparse, json, os, pathlib, shutil, statistics, subprocess, sys, time

import lab as laboratory
from lab import Lab, MACHINE, free_port, ready, warm

parser = argparse.ArgumentParser()
parser.add_argument("--before", type=pathlib.Path)
parser.add_argument("--sizes", type=int, nargs="+", default=[4096, 262144, 8 << 20])
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--seconds", type=float, default=3)
parser.add_argument("--connections", type=int, default=64)
parser.add_argument("--without-peers", action="store_true")
parser.add_argument("--congestion", default="cubic", help="congestion control of every connection, whoever makes it")
parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
arguments = parser.parse_args()


def apart():
    """Runs the script anew in a namespace; its exit code. A namespace chooses among the congestion controls that the machine allows to everybody."""
    allowed = pathlib.Path("/proc/sys/net/ipv4/tcp_allowed_congestion_control")
    before = allowed.read_text()
    try:
        allowed.write_text(f"{before.strip()} {arguments.congestion}")
        return subprocess.run(["unshare", "--net", "--", sys.executable, os.path.abspath(__file__), *sys.argv[1:], "--inside"]).returncode
    finally:
        allowed.write_text(before)


def prepare():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").write_text(arguments.congestion)
    pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("1024 65535")


def nginx(lab, name, http, server):
    """An nginx of this name; its port."""
    port, root = free_port(), lab.work / name
    root.mkdir(exist_ok=True)
    temporary = "\n".join(f"{kind}_temp_path {root}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (root / "nginx.conf").write_text(f"""daemon off; {"user root;" if os.geteuid() == 0 else ""} worker_processes 2; worker_rlimit_nofile 65536; pid {root}/pid; error_log {root}/error.log crit;
events {{ worker_connections 20000; }}
http {{
  access_log off; sendfile on; tcp_nodelay on; keepalive_requests 100000000; keepalive_timeout 300s; open_file_cache max=20000 inactive=300s; {temporary} {http}
  server {{ listen 127.0.0.1:{port} backlog=4096 reuseport; {server} }}
}}""")
    lab.start("nginx", "-c", root / "nginx.conf", "-p", root)
    return port


def squid(lab):
    port, root = free_port(), lab.work / "squid"
    root.mkdir()
    root.chmod(0o777)
    (root / "squid.conf").write_text(f"""http_port 127.0.0.1:{port}
acl all_clients src 127.0.0.0/8
http_access allow all_clients
cache_mem 4096 MB
maximum_object_size 1024 MB
maximum_object_size_in_memory 16 MB
access_log none
cache_store_log none
cache_log {root}/cache.log
pid_filename {root}/squid.pid
coredump_dir {root}
max_filedescriptors 65536
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname race.example.org
""")
    lab.start("squid", "-f", root / "squid.conf", "-n", f"hits{port}", "-N")
    return port


def varnish(lab, origin):
    port = free_port()
    (lab.work / "varnish").mkdir()
    lab.start("varnishd", "-F", "-n", lab.work / "varnish", "-a", f"127.0.0.1:{port}", "-b", f"127.0.0.1:{origin}", "-s", "malloc,4G", "-p", "thread_pool_max=6000",
              "-p", "listen_depth=4096")
    return port


def ats(lab, origin):
    """As perf/Peers has it."""
    port, root = free_port(), lab.work / "ats"
    laboratory.traffic_server_root(root)
    (root / "etc/remap.config").write_text(f"map / http://127.0.0.1:{origin}/\n")
    (root / "etc/storage.config").write_text(f"{root}/cache 8G\n")
    (root / "etc/records.config").write_text(f"""CONFIG proxy.config.http.server_ports STRING {port}:ip-in=127.0.0.1
CONFIG proxy.config.admin.user_id STRING trafficserver
CONFIG proxy.config.reverse_proxy.enabled INT 1
CONFIG proxy.config.url_remap.remap_required INT 1
CONFIG proxy.config.http.cache.http INT 1
CONFIG proxy.config.http.wait_for_cache INT 1
CONFIG proxy.config.cache.enable_read_while_writer INT 1
CONFIG proxy.config.cache.ram_cache.size INT 4294967296
CONFIG proxy.config.cache.ram_cache_cutoff INT 16777216
CONFIG proxy.config.net.connections_throttle INT 60000
CONFIG proxy.config.net.listen_backlog INT 4096
CONFIG proxy.config.http.keep_alive_no_activity_timeout_in INT 300
CONFIG proxy.config.log.logging_enabled INT 0
CONFIG proxy.config.diags.debug.enabled INT 0
""")
    lab.work.chmod(0o755)
    for at, _, files in os.walk(root):
        for name in [at, *(os.path.join(at, file) for file in files)]:
            os.chmod(name, 0o777 if name == at else 0o666)
    lab.start("traffic_server", f"--run-root={root}/runroot.yaml")
    return port


def measure(size):
    with Lab() as lab:
        files = lab.work / "files"
        files.mkdir()
        count = max(16, min(1000, (64 << 20) // size))
        for i in range(count):
            (files / f"{i}.bin").write_bytes(os.urandom(size))
        trace = lab.work / "trace.txt"
        trace.write_text("".join(f"/{i}.bin\n" for i in range(count)))
        origin = nginx(lab, "origin", "", f"root {files}; expires 1h;")
        ready(origin, "/0.bin")
        caches = {}   # name: (port, is asked in absolute form)
        for name, build in (("before", arguments.before), ("breakwater", laboratory.ROOT / "proxy/bin/Release/net10.0")):
            if build:
                laboratory.PROXY = build.resolve() / "breakwater.dll"
                _, port = lab.breakwater([9], "race.example.org", name=name, Access__Destinations__0="127.0.0.1:*", Access__AllowedUpstreams__0="127.0.0.1/32",
                                         Proxy__CongestionControl=arguments.congestion)
                caches[name] = (port, True)
        if not arguments.without_peers:
            caches["nginx"] = (nginx(lab, "nginx", f"proxy_cache_path {lab.work}/cache levels=1:2 keys_zone=c:50m use_temp_path=off; upstream o {{ server 127.0.0.1:{origin}; keepalive 128; }}",
                                     'location / { proxy_pass http://o; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_cache c; proxy_cache_lock on; }'), False)
            if shutil.which("varnishd"):
                caches["varnish"] = (varnish(lab, origin), False)
            if shutil.which("traffic_server"):
                caches["ats"] = (ats(lab, origin), False)
            if shutil.which("squid"):
                caches["squid"] = (squid(lab), True)
        for port, is_absolute in caches.values():
            root = f"http://127.0.0.1:{origin}" if is_absolute else ""
            ready(port, f"{root}/0.bin")
            for _ in range(3):
                assert warm(port, [f"{root}/{i}.bin" for i in range(count)]) == count * size

        def rate(name):
            port, is_absolute = caches[name]
            result = laboratory.storm("hot", "--trace", trace, "--target", f"127.0.0.1:{port}", "--host", f"127.0.0.1:{origin}", "--connections", arguments.connections,
                                      "--seconds", arguments.seconds, *([] if is_absolute else ["--reverse"]))
            assert result["errors"] == 0, (name, result)
            return result["requestsPerSecond"]

        rates = {name: [] for name in caches}
        for number in range(arguments.rounds):
            for name in list(caches) if number % 2 == 0 else reversed(caches):
                rates[name].append(rate(name))
        medians = {name: round(statistics.median(all)) for name, all in rates.items()}
        others = {name: median for name, median in medians.items() if name not in ("breakwater", "before")}
        return {"bytes": size, "requestsPerSecond": medians, "rounds": {name: [round(one) for one in all] for name, all in rates.items()},
                **({"ofBestPeer": round(medians["breakwater"] / max(others.values()), 3)} if others else {}),
                **({"ofBefore": round(medians["breakwater"] / medians["before"], 3)} if arguments.before else {})}


def version(*command):
    text = subprocess.run(command, capture_output=True, text=True)
    return (text.stdout + text.stderr).strip().split("\n")[0]


if not arguments.inside:
    sys.exit(apart())
prepare()
cases = [measure(size) for size in arguments.sizes]
build = subprocess.run(["dotnet", laboratory.PROXY, "--version"], capture_output=True, text=True).stdout.strip()
print(json.dumps({"benchmark": "hits of ordinary HTTP (perf/generic-hits.py)", "connections": arguments.connections, "seconds": arguments.seconds, "congestion": arguments.congestion,
                  "goal": "at least 1.1 of the best peer at 4096 bytes", "cases": cases, "machine": MACHINE,
                  "versions": {"breakwater": build, **{command[0]: version(*command) for command in (("nginx", "-v"), ("varnishd", "-V"), ("traffic_server", "--version"), ("squid", "-v"))
                                                       if not arguments.without_peers and shutil.which(command[0])}},
                  "measured": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}))
