#!/usr/bin/env python3
"""Sends request-cases.tsv to several servers and prints what each answered beside what is expected.

    compare.py --document PATH --object PATH NAME=HOST:PORT ...

Each server must be a proxy or server that has both paths. It is told nothing else; loopback only. 'ok' means one of the expected answers.
"""
import argparse, re, socket, sys, os

HERE = os.path.dirname(os.path.abspath(__file__))
EVIL = "/cvmfs/tiny.example.org/.cvmfs_smuggled"
ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


def to_bytes(template, document, obj):
    fqrn_path = "/cvmfs/tiny.example.org/"
    text = (template.replace("{DOC}", document).replace("{OBJPATH}", obj).replace("{OBJ}", fqrn_path + obj).replace("{EVIL}", EVIL)
            .replace("{EVILLENGTH}", str(len(f"GET {EVIL} HTTP/1.1\r\nHost: localhost\r\n\r\n"))))
    text = re.sub(r"\{([^{}]+?)\*(\d+)\}", lambda m: m.group(1) * int(m.group(2)), text)
    text = text.replace("{{", "{").replace("}}", "}")
    unescape = lambda m: chr(int(m.group(1)[1:], 16)) if m.group(1)[0] == "x" else ESCAPES[m.group(1)]
    return re.sub(r"\\(x[0-9a-f]{2}|[rnt0\\])", unescape, text).encode("latin-1")


class Connection:
    def __init__(self, address):
        self.socket = socket.create_connection(address, 5)
        self.socket.settimeout(6)
        self.buffer = b""

    def fill(self):
        try:
            data = self.socket.recv(65536)
        except (ConnectionError, socket.timeout):
            data = b""
        self.buffer += data
        return bool(data)

    def answer(self, is_head):
        """Status of the next answer, None at the end."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.fill():
                return None
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if not re.match(rb"HTTP/1\.\d \d{3}", head):
            return None
        status = int(head[9:12])
        if is_head or status in (204, 304) or status < 200:
            return status
        length = re.search(rb"(?im)^content-length:\s*(\d+)", head)
        if length:
            size = int(length.group(1))
            while len(self.buffer) < size and self.fill():
                pass
            self.buffer = self.buffer[size:]
        elif re.search(rb"(?im)^transfer-encoding:\s*chunked", head):
            while b"0\r\n\r\n" not in self.buffer and self.fill():
                pass
            self.buffer = self.buffer.split(b"0\r\n\r\n", 1)[-1]
        else:
            while self.fill():
                pass
            self.buffer = b""
        return status


def parse(expected):
    answers, is_head = [], False
    for word in expected.split(" "):
        if word.isdigit():
            answers.append((word, is_head))
        is_head = word == "HEAD"
    return answers, expected.endswith("close"), expected == "reset"


def observe(address, data, alternatives, document):
    connection = Connection(address)
    try:
        connection.socket.sendall(data)
    except OSError:
        pass
    seen = []
    for i in range(max(len(a[0]) for a in alternatives)):
        is_head = any(len(a[0]) > i and a[0][i][1] for a in alternatives)
        status = connection.answer(is_head)
        if status is None:
            return (" ".join(seen) + " close").strip() if seen else "reset"
        seen.append(str(status))
    try:
        connection.socket.sendall(f"GET {document} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        goes_on = connection.answer(False) is not None
    except OSError:
        goes_on = False
    connection.socket.close()
    return " ".join(seen) + ("" if goes_on else " close")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--document", required=True)
    arguments.add_argument("--object", required=True, help="below the repository: data/ab/…")
    arguments.add_argument("servers", nargs="+")
    options = arguments.parse_args()
    servers = [(name, (rest.rsplit(":", 1)[0], int(rest.rsplit(":", 1)[1]))) for name, rest in (s.split("=", 1) for s in options.servers)]
    counts = dict.fromkeys((name for name, _ in servers), 0)
    total = 0
    print("| case | source | expected | " + " | ".join(name for name, _ in servers) + " |")
    print("|---" * (3 + len(servers)) + "|")
    for line in open(os.path.join(HERE, "request-cases.tsv"), encoding="utf-8"):
        line = line.rstrip("\n")
        if not line or line.startswith("#"):
            continue
        name, source, expected, template = line.split("\t")
        alternatives = [parse(e) for e in expected.split("|")]
        wanted = {"reset" if reset else " ".join(a for a, _ in answers) + (" close" if closes else "") for answers, closes, reset in alternatives}
        row, total = [], total + 1
        for server, address in servers:
            seen = observe(address, to_bytes(template, options.document, options.object), alternatives, options.document)
            good = seen in wanted
            counts[server] += good
            row.append("ok" if good else f"**{seen}**")
        print(f"| {name} | {source} | {expected.replace('|', ' or ')} | " + " | ".join(row) + " |", flush=True)
    print()
    for server, _ in servers:
        print(f"{server}: {counts[server]} of {total} as expected")


if __name__ == "__main__":
    sys.exit(main())
