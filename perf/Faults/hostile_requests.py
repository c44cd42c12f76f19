#!/usr/bin/env python3
"""The table of malformed and smuggling requests, sent to Breakwater on both paths, squid and nginx in front of one Stratum 1.

usage: perf/Faults/hostile_requests.py [--only NAME,…] > perf/results/hostile-requests.md
Build first: dotnet build -c Release proxy && dotnet build -c Release perf/Storm. squid and nginx as Debian ships them (apt-get install squid nginx-light).
Loopback only; everything is in a temporary directory and ends with the script.
"""
import argparse, getpass, os, pathlib, shutil, subprocess, sys, tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lab import Lab, MACHINE, ROOT, free_port, get, ready

FQRN = "tiny.example.org"
DOCUMENT = f"/cvmfs/{FQRN}/.cvmfspublished"


def breakwater(lab, upstream, raw_path):
    return lab.breakwater([upstream], FQRN, "raw" if raw_path else "ordinary", Proxy__RawPath=str(raw_path), Proxy__RequestHeadTimeout="00:00:02")[1]


def nginx(lab, upstream):
    port, home = free_port(), lab.work / "nginx"
    home.mkdir()
    (home / "nginx.conf").write_text(f"""
daemon off; pid {home}/nginx.pid; error_log {home}/error.log crit;
events {{ worker_connections 1000; }}
http {{
  access_log off; client_header_timeout 2s; client_body_timeout 2s;
  client_body_temp_path {home}/body; proxy_temp_path {home}/temp; fastcgi_temp_path {home}/fastcgi; uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  proxy_cache_path {home}/cache levels=1:2 keys_zone=objects:10m;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_cache objects; }} }}
}}
""")
    lab.start("nginx", "-c", home / "nginx.conf", "-p", home)
    return port


def squid(lab, upstream):
    """As an accelerator, so that it takes both request forms."""
    port, home = free_port(), lab.work / "squid"
    home.mkdir()
    user = f"cache_effective_user {getpass.getuser()}" if os.geteuid() else "cache_effective_user proxy"
    if not os.geteuid():
        shutil.chown(home, "proxy")
        lab.work.chmod(0o755)
    (home / "squid.conf").write_text(f"""
http_port 127.0.0.1:{port} accel defaultsite=localhost
cache_peer 127.0.0.1 parent {upstream} 0 no-query originserver name=stratum1
http_access allow all
cache_peer_access stratum1 allow all
never_direct allow all
cache_mem 64 MB
access_log none
cache_log {home}/cache.log
pid_filename {home}/squid.pid
coredump_dir {home}
pinger_enable off
shutdown_lifetime 0 seconds
request_timeout 2 seconds
request_start_timeout 2 seconds
visible_hostname hostile.example.org
{user}
""")
    lab.start("squid", "-f", home / "squid.conf", "-n", f"hostile{port}", "-N")
    return port


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="breakwater,breakwater-ordinary,nginx,squid")
    only = parser.parse_args().only.split(",")
    with Lab() as lab:
        tar = ROOT / f"perf/Laboratory/fixtures/{FQRN}.tar"
        with tarfile.open(tar) as tree:
            objects = sorted((m.size, m.name) for m in tree if m.isfile() and "/data/" in m.name and m.size >= 100)
        path = objects[0][1].split("/", 1)[1]
        upstream = lab.upstream("--tar", tar)
        makers = {"breakwater": lambda: breakwater(lab, upstream, True), "breakwater-ordinary": lambda: breakwater(lab, upstream, False),
                  "nginx": lambda: nginx(lab, upstream), "squid": lambda: squid(lab, upstream)}
        servers = {name: makers[name]() for name in only}
        for port in servers.values():
            ready(port, DOCUMENT)
            for _ in range(2):
                assert get(port, f"/cvmfs/{FQRN}/{path}")[0] == 200, port
        version = lambda *c: subprocess.run(c, capture_output=True, text=True, check=False)
        print("# Hostile requests: Breakwater, squid, nginx\n")
        print("Each line of tests/Proxy.FunctionalTests/Hardening/request-cases.tsv sent by perf/Faults/hostile_requests.py; a cell other than ok is what came instead.")
        print("nginx and squid are as Debian ships them, both in front of the same Stratum 1. Many of the others' answers are allowed leniency (an unknown request is passed on), "
              "not weaknesses; the table asks for a strict proxy.")
        squid_version = version("squid", "-v").stdout.splitlines()[:1] if "squid" in only else []
        print(f"Machine: {MACHINE}; {' '.join(squid_version)} {version('nginx', '-v').stderr.strip() if 'nginx' in only else ''}.\n", flush=True)
        return subprocess.run([sys.executable, str(ROOT / "tests/Proxy.FunctionalTests/Hardening/compare.py"), "--document", DOCUMENT, "--object", path,
                               *[f"{name}=127.0.0.1:{port}" for name, port in servers.items()]], check=False).returncode

if __name__ == "__main__":
    sys.exit(main())
