#!/usr/bin/python3
"""Boots machines of QEMU (no KVM) by each way in which a machine is told what to boot or where to write, beside what boot.py shows.

User data of the metadata service of EC2 (which wants a token) and of OpenStack; PAC files, that of Breakwater and one with
conditions; an ext4 disk with the label breakwater, whose changes are thrown away or kept; and --client: an image with a site's own client,
for which a stand-in is compiled here. It is called as cvmfs2 is, reads the settings that the init writes for cvmfs2, and mounts by
breakwater-mount; that the real client understands the same settings is not shown.

    ways.py --image DIRECTORY [--mount DIRECTORY [--kernel FILE.deb]] [--only WORD] [--keep]

--image: of build.sh --user-data-key --modules virtio,disk. --mount: breakwater-mount and libe_sqlite3.so, as build.sh --mount takes them;
without it the stand-in is left out. Needs what boot.py needs, and e2fsprogs, gcc. Exit 0 when all of it is so.
"""
import argparse
import http.server
import json
import pathlib
import shutil
import sys
import threading

from machines import BUILD, FQRN, Lab, busybox, need, run

arguments = argparse.ArgumentParser()
arguments.add_argument("--image", type=pathlib.Path, required=True)
arguments.add_argument("--mount", type=pathlib.Path)
arguments.add_argument("--kernel", type=pathlib.Path)
arguments.add_argument("--only", default="", help="only ways whose name has this word")
arguments.add_argument("--keep", action="store_true")
arguments = arguments.parse_args()
need("mkfs.ext4", *(["gcc"] if arguments.mount else []))
failures = []

INIT = """#!/bin/sh
# The operating system of this test: what was written by the boot before, a change, and off.
echo "MARKER $(cat /etc/revision)"
echo "KEPT $(cat /etc/changed)"
echo "one boot" > /etc/changed
grep -E ' (/|/cvm/ro|/cvm/rw) ' /proc/mounts | sed 's/^/MOUNT /'
sed 's/^/SETTING /' /run/breakwater/settings
sync
poweroff -f
"""

# A client that is called as cvmfs2 is: cvmfs2 -o config=FILE,... FQRN MOUNTPOINT; it returns when the repository is mounted.
STAND_IN = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
static char value[8][4096];
static const char *names[] = { "CVMFS_SERVER_URL", "CVMFS_HTTP_PROXY", "CVMFS_KEYS_DIR", "CVMFS_CACHE_BASE", "CVMFS_REPOSITORY_TAG", "CVMFS_ROOT_HASH", "CVMFS_QUOTA_LIMIT", "CVMFS_RELOAD_SOCKETS" };
int main(int n, char **a) {
  char *config = n == 5 && !strcmp(a[1], "-o") ? strstr(a[2], "config=") : NULL, line[4096], mounts[4096];
  if (!config || !getenv("CVMFS_LIBRARY_PATH")) { fprintf(stderr, "stand-in: called otherwise than cvmfs2 is\n"); return 1; }
  FILE *f = fopen(strtok(config + 7, ","), "r");
  while (f && fgets(line, sizeof line, f)) {
    line[strcspn(line, "\n")] = 0;
    char *equals = strchr(line, '=');
    if (!equals) continue;
    *equals++ = 0;
    if (*equals == '"') { equals++; equals[strcspn(equals, "\"")] = 0; }
    for (int i = 0; i < 8; i++) if (!strcmp(line, names[i])) snprintf(value[i], sizeof value[i], "%s", equals);
  }
  for (int i = 0; i < 4; i++) if (!value[i][0]) { fprintf(stderr, "stand-in: no %s\n", names[i]); return 1; }
  char *server = value[0] + strlen("http://"), *path = strstr(server, "/cvmfs/"), *stub = "/lib/libcvmfs_fuse3_stub.so";
  if (path) *path = 0;
  char *more = value[5][0] ? "--root-hash" : "--tag", *what = value[5][0] ? value[5] : value[4][0] ? value[4] : "HEAD";
  char *words[] = { "@cvmfs2", a[3], a[4], "--server", server, "--proxy", value[1], "--keys", value[2], "--cache", value[3], "--quota-mb", value[6], more, what, NULL };
  pid_t child = fork();
  if (child == 0) { setsid(); execv(stub, words); perror(stub); _exit(1); }
  for (;;) {
    if (waitpid(child, NULL, WNOHANG) == child) return 1;
    f = fopen("/proc/mounts", "r");
    while (f && fgets(mounts, sizeof mounts, f)) if (strstr(mounts, a[4]) && strstr(mounts, " fuse")) { printf("stand-in: mounted %s\n", a[3]); return 0; }
    if (f) fclose(f);
    usleep(100000);
  }
}
"""


class Metadata:
    """A metadata service; EC2's answers only who fetched a token by PUT."""

    def __init__(self, path, text, wants_token):
        asked = self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_PUT(self):
                asked.append("PUT " + self.path)
                self.answer(200 if wants_token and self.headers["X-aws-ec2-metadata-token-ttl-seconds"] else 404, "secret-token")

            def do_GET(self):
                asked.append("GET " + self.path)
                if wants_token and self.headers["X-aws-ec2-metadata-token"] != "secret-token":
                    self.answer(401, "no token")
                else:
                    self.answer(200 if self.path == path else 404, text)

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.net = (f"user,id=n,net=169.254.0.0/16,host=169.254.0.2,dhcpstart=169.254.0.15,"
                    f"guestfwd=tcp:169.254.169.254:80-cmd:{busybox()} nc 127.0.0.1 {self.server.server_port}")


def make_tree(work):
    tree = work / "tree"
    for folder in ("bin", "sbin", "etc"):
        (tree / folder).mkdir(parents=True)
    shutil.copy(busybox(), tree / "bin/busybox")
    for applet in "sh cat grep sed sync poweroff".split():
        (tree / "bin" / applet).symlink_to("busybox")
    (tree / "sbin/init").write_text(INIT)
    (tree / "sbin/init").chmod(0o755)
    (tree / "etc/revision").write_text("one\n")
    return tree


def way(lab, name, words, *expected, image=None, absent=(), **more):
    if arguments.only not in name:
        return
    console, seconds = lab.boot(words, image or arguments.image, **more)
    wrong = [f"lacks {text!r}" for text in ("MARKER one", *expected) if text not in console] + [f"has {text!r}" for text in absent if text in console]
    print(f"{name}: {'; '.join(wrong) or 'right'}; {seconds:.1f} s", flush=True)
    if wrong:
        failures.append(name)
        print(console[-4000:], flush=True)


def clouds(lab):
    if arguments.only not in "metadata service of EC2 and OpenStack":
        return
    block = "\n".join(["#!/bin/sh", "[ucernvm-begin]", f"cvmfs_branch={FQRN}", "cvmfs_server=stratum1.lab", lab.key_word(),
                       f'cvmfs_http_proxy="http://169.254.0.2:{lab.port}"', "cvmfs_tag=v1", "[ucernvm-end]", ""])
    for name, path, token in (("EC2", "/latest/user-data", True), ("OpenStack", "/openstack/latest/user_data", False)):
        service = Metadata(path, block, token)
        way(lab, f"metadata service of {name}", "cvmfs_metadata=yes cvmfs_panic=poweroff", "user data of the metadata service", "SETTING cvmfs_tag=v1",
            net=service.net)
        service.server.shutdown()
        print(f"  it was asked {', '.join(service.asked)}")


def pac(lab):
    (lab.published / "if.dat").write_text('function FindProxyForURL(url, host) { if (host == "a") return "DIRECT"; return "PROXY 10.0.2.2:1"; }\n')
    at = f"http://10.0.2.2:{lab.stratum1.port}"
    words = f"cvmfs_branch={FQRN} cvmfs_server=stratum1.lab {lab.key_word()} cvmfs_panic=poweroff"
    # Nobody knows the server's name but the proxy: what was mounted came through it.
    way(lab, "PAC, of Breakwater", f"{words} cvmfs_http_proxy=auto cvmfs_pac_urls={at}/none.dat;http://10.0.2.2:{lab.port}/wpad.dat", "/none.dat: ")
    way(lab, "PAC, with conditions", f"{words} cvmfs_http_proxy=auto;http://10.0.2.2:{lab.port} cvmfs_pac_urls={at}/if.dat",
        "its answer is not always the same", "no file of --pac tells a proxy")


def disk(lab):
    image = lab.work / "disk"
    run("truncate", "-s", "256M", image)
    run("mkfs.ext4", "-q", "-L", "breakwater", image)
    drive = ["-drive", f"file={image},format=raw,if=virtio"]
    mounted = "cache and changes on /dev/vda"
    way(lab, "labelled disk, first boot", lab.words(), mounted, absent=["KEPT one boot"], extra=drive)
    way(lab, "labelled disk, changes are thrown away", lab.words(), mounted, absent=["KEPT one boot"], extra=drive)
    way(lab, "labelled disk, changes are kept", lab.words() + " cvmfs_keep=yes", mounted, "KEPT one boot", extra=drive)


def client(lab):
    if not arguments.mount or arguments.only not in "client":
        return
    folder = lab.work / "client"
    folder.mkdir()
    (folder / "cvmfs2.c").write_text(STAND_IN)
    shutil.copy(arguments.mount / "libe_sqlite3.so", folder)
    shutil.copy(arguments.mount / "breakwater-mount", folder / "libcvmfs_fuse3_stub.so")
    run("gcc", "-O1", "-w", "-o", folder / "cvmfs2", folder / "cvmfs2.c", f"-L{folder}", "-Wl,--no-as-needed", "-le_sqlite3", "-lm", f"-Wl,-rpath,{folder}")
    image = lab.work / "image"
    run(BUILD, "--out", image, "--user-data-key", "--no-images", "--client", folder / "cvmfs2", *(["--kernel", arguments.kernel] if arguments.kernel else []))
    way(lab, "client: stand-in, by its tag", lab.words() + " cvmfs_tag=v1", "SETTING cvmfs_tag=v1", image=image)
    root = next(line[1:] for line in (lab.published / "cvmfs" / FQRN / ".cvmfspublished").read_bytes().decode("latin-1").splitlines() if line.startswith("C"))
    way(lab, "client: stand-in, by its root hash", f"{lab.words()} cvmfs_root_hash={root}", f"SETTING cvmfs_root_hash={root}", image=image)


with Lab() as lab:
    lab.publish(make_tree(lab.work), "v1")
    lab.serve()
    for part in (clouds, pac, disk, client):
        part(lab)
    lab.keep = arguments.keep or bool(failures)
print(json.dumps({"failures": failures}))
sys.exit(1 if failures else 0)
