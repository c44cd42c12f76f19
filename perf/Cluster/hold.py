"""Holds the clients' socket open while what it runs is restarted, as systemd's socket unit does: hold.py ADDRESS:PORT COMMAND...; SIGHUP restarts it, SIGTERM ends both."""
import os, signal, socket, subprocess, sys

host, _, port = sys.argv[1].rpartition(":")
listener = socket.create_server((host, int(port)), backlog=4096)
listener.setblocking(False)
again = True


def child():
    os.dup2(listener.fileno(), 3)
    os.set_inheritable(3, True)
    # Not by a shell: it drops variables with dots in their names, and so the node's repositories.
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")


def told(signal_number, _):
    global again
    again = signal_number == signal.SIGHUP
    process.terminate()


for number in (signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, told)
while again:
    again = False
    process = subprocess.Popen(sys.argv[2:], preexec_fn=child, close_fds=False)
    while process.poll() is None:
        try:
            process.wait()
        except InterruptedError:
            pass
