using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Breakwater.Peers.Proxies;

/// <summary>
/// nginx as a caching reverse proxy: two workers with a listening socket each, lock, sendfile, head and body in one packet (tcp_nopush: 4
/// KB at 1.4 times the rate), open file cache, kept upstream connections.
/// </summary>
internal sealed partial class Nginx() : Peer("nginx", isForward: false)
{
    public override string Version() => VersionPattern().Match(Output("nginx", "-v")).Value;

    protected override void Prepare()
    {
        Write("nginx.conf", $$"""
            daemon off;
            worker_processes 2;
            worker_rlimit_nofile 65536;
            pid {{Directory}}/nginx.pid;
            error_log {{Directory}}/error.log crit;
            events { worker_connections 20000; }
            http {
              access_log off;
              sendfile on;
              tcp_nopush on;
              tcp_nodelay on;
              keepalive_requests 100000000;
              keepalive_timeout 300s;
              open_file_cache max=20000 inactive=300s;
              client_body_temp_path {{Directory}}/body;
              proxy_temp_path {{Directory}}/temp;
              fastcgi_temp_path {{Directory}}/fastcgi;
              uwsgi_temp_path {{Directory}}/uwsgi;
              scgi_temp_path {{Directory}}/scgi;
              proxy_cache_path {{Directory}}/cache levels=1:2 keys_zone=objects:100m max_size=20g inactive=7d use_temp_path=off;
              upstream stratum1 { server 127.0.0.1:{{UpstreamPort}}; keepalive 128; }
              server {
                listen 127.0.0.1:{{Port}} backlog=4096 reuseport;
                location / {
                  proxy_pass http://stratum1;
                  proxy_http_version 1.1;
                  proxy_set_header Connection "";
                  proxy_cache objects;
                  proxy_cache_lock on;
                }
              }
            }
            """);
        OpenDirectory();
    }

    protected override ProcessStartInfo Command() => Run("nginx", "-c", Path.Combine(Directory, "nginx.conf"), "-p", Directory);

    [GeneratedRegex(@"(?<=nginx/)[\d.]+")]
    private static partial Regex VersionPattern();
}
