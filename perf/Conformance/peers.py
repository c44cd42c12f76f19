"""How each proxy is started as a reverse proxy before the suite's origin, with its cache on and nothing else tuned."""
import os, re, shutil, subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
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


PEERS = {
    "breakwater": {"program": BREAKWATER, "start": breakwater, "version": version([BREAKWATER, "--version"])},
}
