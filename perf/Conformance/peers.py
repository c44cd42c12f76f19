"""How each proxy is started as a reverse proxy before the suite's origin, with its cache on and nothing else tuned."""
import os, re, shutil, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from lab import traffic_server_root
BREAKWATER = os.environ.get("BREAKWATER", os.path.join(HERE, "..", "..", "proxy", "bin", "Release", "net10.0", "breakwater"))


def write(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, "w") as out:
        out.write(text)
    return path


def version(command, pattern=r"(\d+\.\d+[\d.]*)"):
    def read():
        done = subprocess.run(command, capture_output=True, text=True)
        found = re.search(pattern, done.stdout + done.stderr)
        return found.group(1) if found else "?"
    return read


def breakwater(directory, port, origin):
    path = write(directory, "appsettings.json", """{
  "Proxy": { "Listen": [ "127.0.0.1:%d" ] },
  "Admin": { "Listen": "127.0.0.1:0" },
  "Store": { "Path": "%s/store" },
  "Http": {
    "Sites": { "*": { "Origin": "http://127.0.0.1:%d" } },
    "Methods": [ "GET", "HEAD", "POST", "PUT", "DELETE", "M-SEARCH" ]
  }
}""" % (port, directory, origin))
    return [BREAKWATER, "serve", "--settings", path]


def apache(directory, port, origin):
    path = write(directory, "apache.conf", f"""ServerRoot /usr/lib/apache2
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {directory}/apache.pid
ErrorLog {directory}/error.log
User www-data
Group www-data
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule negotiation_module modules/mod_negotiation.so
LoadModule cache_module modules/mod_cache.so
LoadModule cache_disk_module modules/mod_cache_disk.so
ProxyPass "/" "http://localhost:{origin}/"
CacheEnable disk /
CacheRoot {directory}/cache
CacheDirLevels 5
CacheDirLength 3
CacheDefaultExpire 0
CacheIgnoreNoLastMod On
CacheStoreExpired On
CacheNegotiatedDocs On
UseCanonicalName On
CacheHeader On
CacheDetailHeader On
""")
    open_directory(directory, "cache")
    return ["apache2", "-X", "-f", path]


def ats(directory, port, origin):
    for name in ("etc", "run", "log", "cache"):
        open_directory(directory, name)
    root = traffic_server_root(directory)
    write(directory, "etc/remap.config", f"map / http://127.0.0.1:{origin}/\n")
    write(directory, "etc/storage.config", f"{directory}/cache 256M\n")
    write(directory, "etc/records.config", f"""CONFIG proxy.config.http.server_ports STRING {port}
CONFIG proxy.config.http.insert_request_via_str INT 1
CONFIG proxy.config.http.insert_response_via_str INT 0
CONFIG proxy.config.http.cache.http INT 1
CONFIG proxy.config.http.cache.ignore_client_cc_max_age INT 1
CONFIG proxy.config.http.normalize_ae INT 1
CONFIG proxy.config.http.cache.cache_responses_to_cookies INT 1
CONFIG proxy.config.http.cache.when_to_revalidate INT 0
CONFIG proxy.config.http.cache.required_headers INT 2
CONFIG proxy.config.http.wait_for_cache INT 1
CONFIG proxy.config.url_remap.remap_required INT 1
CONFIG proxy.config.url_remap.pristine_host_hdr INT 1
CONFIG proxy.config.reverse_proxy.enabled INT 1
CONFIG proxy.config.admin.user_id STRING trafficserver
""")
    for at, _, files in os.walk(directory):
        for name in [at, *(os.path.join(at, file) for file in files)]:
            shutil.chown(name, "trafficserver", "trafficserver")
    return ["traffic_server", f"--run-root={root}"]


def haproxy(directory, port, origin):
    return ["haproxy", "-db", "-f", write(directory, "haproxy.cfg", f"""defaults
  mode http
  timeout connect 5s
  timeout client 1m
  timeout server 1m
cache mycache
  total-max-size 4
  max-object-size 10000
  max-age 240
  process-vary on
  max-secondary-entries 12
frontend fe
  bind 127.0.0.1:{port}
  filter cache mycache
  http-request cache-use mycache
  http-response cache-store mycache
  default_backend be
backend be
  server s1 127.0.0.1:{origin}
""")]


def nginx(directory, port, origin):
    return ["nginx", "-p", directory, "-c", write(directory, "nginx.conf", f"""daemon off;
user www-data;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/tmp;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  proxy_cache_path {directory}/cache levels=1:2 keys_zone=my-cache:8m max_size=1000m inactive=600m;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://localhost:{origin};
      proxy_cache my-cache;
      proxy_cache_revalidate on;
      proxy_http_version 1.1;
    }}
  }}
}}
""")]


def squid(directory, port, origin):
    os.chmod(directory, 0o777)
    return ["squid", "-N", "-n", f"conf{port}", "-f", write(directory, "squid.conf", f"""http_port {port} accel defaultsite=localhost no-vhost
cache_peer localhost parent {origin} 0 no-query no-digest originserver default name=myAccel
acl our_sites dstdomain localhost
cache_peer_access myAccel allow all
http_access allow all
shutdown_lifetime 1 second
connect_retries 3
access_log none
cache_log {directory}/cache.log
pid_filename {directory}/squid.pid
coredump_dir {directory}
pinger_enable off
visible_hostname conformance.example.org
""")]


def varnish(directory, port, origin):
    open_directory(directory, "work")
    return ["varnishd", "-F", "-n", f"{directory}/work", "-a", f"127.0.0.1:{port}", "-b", f"localhost:{origin}",
            "-p", "default_ttl=0", "-p", "default_grace=0", "-p", "default_keep=3600", "-s", "malloc,64M"]


def open_directory(directory, name):
    path = os.path.join(directory, name)
    os.makedirs(path, exist_ok=True)
    os.chmod(path, 0o777)


# The settings of the peers are those of the suite's own container image.
PEERS = {
    "breakwater": {"program": BREAKWATER, "start": breakwater, "version": version([BREAKWATER, "--version"])},
    "apache": {"program": "apache2", "start": apache, "version": version(["apache2", "-v"])},
    "ats": {"program": "traffic_server", "start": ats, "version": version(["traffic_server", "--version"])},
    "haproxy": {"program": "haproxy", "start": haproxy, "version": version(["haproxy", "-v"])},
    "nginx": {"program": "nginx", "start": nginx, "version": version(["nginx", "-v"])},
    "squid": {"program": "squid", "start": squid, "version": version(["squid", "-v"])},
    "varnish": {"program": "varnishd", "start": varnish, "version": version(["varnishd", "-V"])},
}
