"""Holds the clients' socket open while what it runs is restarted, as systemd's socket unit does: hold.py ADDRESS:PORT COMMAND...; SIGHUP restarts it, SIGTERM ends both."""
import os, signal, socket, subprocess, sys

host, _, port = sys.argv[1].rpartition(":")
listener = socket.create_server((host, int(port)), backlog=4096)
listener.setblocking(False)
again = True


def child():
    os.dup2(listener.fileno(), 3)
    os.set_inheritable(3, True)


def told(signal_number, _):
    global again
    again = signal_number == signal.SIGHUP
    process.terminate()


for number in (signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, told)
while again:
    again = False
    # The shell knows its own number; exec keeps it.
    process = subprocess.Popen(["/bin/sh", "-c", 'export LISTEN_PID=$$; exec "$@"', "sh", *sys.argv[2:]], env=dict(os.environ, LISTEN_FDS="1"), preexec_fn=child, close_fds=False)
    while process.poll() is None:
        try:
            process.wait()
        except InterruptedError:
            pass
