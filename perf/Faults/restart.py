#!/usr/bin/env python3
"""Restarts `breakwater serve` under load, as systemd with a socket unit does: the listening socket stays open in this process and is handed over by LISTEN_FDS.

    restart.py --port PORT --path /cvmfs/… [--restarts 3] [--clients 16] -- dotnet breakwater.dll serve --settings FILE

Prints requests, failed requests and the longest wait for an answer; exit 1 when one failed or the proxy did not end with 0. Loopback only.
"""
import argparse, os, signal, socket, subprocess, sys, threading, time


def start(listener, command):
    def child():
        os.dup2(listener.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ["LISTEN_PID"] = str(os.getpid())
    environment = dict(os.environ, LISTEN_FDS="1")
    # The shell knows its own number; exec keeps it.
    return subprocess.Popen(["/bin/sh", "-c", 'export LISTEN_PID=$$; exec "$@"', "sh", *command], env=environment, preexec_fn=child, close_fds=False,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


class Client(threading.Thread):
    def __init__(self, port, path, stop):
        super().__init__(daemon=True)
        self.port, self.path, self.stop = port, path, stop
        self.requests, self.failures, self.longest, self.socket = 0, [], 0.0, None

    def run(self):
        while not self.stop.is_set():
            began = time.monotonic()
            try:
                self.ask()
            except (OSError, ValueError) as e:
                self.failures.append(repr(e))
                self.close()
            self.requests += 1
            self.longest = max(self.longest, time.monotonic() - began)
        self.close()

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def ask(self):
        if not self.socket:
            self.socket = socket.create_connection(("127.0.0.1", self.port), 5)
        self.socket.sendall(f"GET {self.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.socket.recv(65536)
            if not piece:
                raise ValueError("closed without an answer")
            data += piece
        head, body = data.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        if " 200 " not in lines[0] + " ":
            raise ValueError(lines[0])
        fields = {l.split(":", 1)[0].lower(): l.split(":", 1)[1].strip() for l in lines[1:]}
        left = int(fields["content-length"]) - len(body)
        while left > 0:
            piece = self.socket.recv(65536)
            if not piece:
                raise ValueError("cut")
            left -= len(piece)
        if fields.get("connection", "").lower() == "close":
            self.close()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--path", required=True)
    arguments.add_argument("--restarts", type=int, default=3)
    arguments.add_argument("--clients", type=int, default=16)
    arguments.add_argument("command", nargs=argparse.REMAINDER)
    options = arguments.parse_args()
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    listener = socket.create_server(("127.0.0.1", options.port), backlog=4096)
    listener.set_inheritable(True)

    def ready():
        process = start(listener, command)
        while "listening" not in (line := process.stdout.readline()):
            if not line:
                raise SystemExit("the proxy did not start")
        return process

    process, stop, exits = ready(), threading.Event(), []
    clients = [Client(options.port, options.path, stop) for _ in range(options.clients)]
    for client in clients:
        client.start()
    for _ in range(options.restarts):
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        exits.append(process.wait(60))
        process = ready()
    time.sleep(2)
    stop.set()
    for client in clients:
        client.join(20)
    process.send_signal(signal.SIGTERM)
    exits.append(process.wait(60))
    failures = [f for c in clients for f in c.failures]
    print(f"restarts {options.restarts}, requests {sum(c.requests for c in clients)}, failed {len(failures)} {sorted(set(failures))}, "
          f"longest answer {max(c.longest for c in clients):.2f} s, exit codes {exits}")
    return 1 if failures or any(exits) else 0


if __name__ == "__main__":
    sys.exit(main())
