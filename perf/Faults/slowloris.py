#!/usr/bin/env python3
"""Normal clients beside thousands of connections that drip their heads.

Measured in one run: the most hits a second of the normal clients, closed loop; then, in rounds, an open loop at 30 % of that, alone and with the slow connections.
Goal: p99 with them at most 1.5 times that alone, medians of the rounds; the rounds alone differ by the noise. The slow ones send a byte of a field every second, each at
its own moment, and come back at once when they are cut off. Where clients, proxy and slow ones share the processors, the slow ones themselves take time: the third part of a
round sends the drips to a process that only reads them, for comparison. Prints JSON.

usage: perf/Faults/slowloris.py [--slow 5000] [--clients 100] [--seconds 15] [--rounds 5] | tee perf/results/slowloris.json
"""
import argparse, json, pathlib, resource, select, socket, statistics, subprocess, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lab import Lab, MACHINE, ready, warm


def hold(port, count):
    """Holds that many connections until it is ended."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    poll, connections = select.epoll(), {}
    due_at = [{} for _ in range(250)]  # by 4 ms of a second: few at a time, so that this process takes no long turn, and seldom, so that it takes few

    def open_one(i):
        s = socket.socket()
        s.bind((f"127.1.{i % 200}.{1 + i // 200 % 200}", 0))
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", port))
        due_at[i % 250][i] = connections[s.fileno()] = [s, i, False]
        poll.register(s.fileno(), select.EPOLLRDHUP | select.EPOLLIN)

    # Opened over ten seconds, and each with its own moment of a second: thousands of clients do not move in step.
    for i in range(count):
        open_one(i)
        if i % 100 == 99:
            time.sleep(1000 / count)
    due, turn = time.monotonic(), 0
    while True:
        turn += 1
        for connection in due_at[turn % 250].values():
            try:
                connection[0].send(b"a" if connection[2] else b"GET /cvmfs/x HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
                connection[2] = True
            except OSError:
                pass  # Not connected yet, or cut off: the poll below sees it.
        if turn == 250:
            print("holding", flush=True)
        due += 0.004
        while (left := due - time.monotonic()) > 0:
            for fd, _ in poll.poll(left, 500):
                s, i, _ = connections.pop(fd)
                poll.unregister(fd)
                s.close()
                open_one(i)


def sink():
    """Reads what comes, until it is ended."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    poll, held, listener = select.epoll(), {}, socket.create_server(("127.0.0.1", 0), backlog=4096)
    poll.register(listener.fileno(), select.EPOLLIN)
    print(listener.getsockname()[1], flush=True)
    while True:
        for fd, _ in poll.poll():
            if fd == listener.fileno():
                s = listener.accept()[0]
                held[s.fileno()] = s
                poll.register(s.fileno(), select.EPOLLIN)
            elif not held[fd].recv(4096):
                poll.unregister(fd)
                held.pop(fd).close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slow", type=int, default=5000)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hold", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--sink", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.hold:
        return hold(options.hold, options.slow)
    if options.sink:
        return sink()
    with Lab() as lab:
        trace = lab.work / "trace.txt"
        upstream = lab.upstream("--set", "fixed:400:32768", "--trace-out", trace)
        paths = trace.read_text().split()
        proxy, port = lab.breakwater([upstream], paths[0].split("/")[2])
        ready(port, paths[0])
        warm(port, paths)
        run = lambda rate=0.0: lab.hot(trace, port, upstream, options.seconds, options.clients, rate)
        most = run()
        rate = 0.3 * most["requestsPerSecond"]
        alone, beside, beside_sink, descriptors = [], [], [], []

        def with_slow(to):
            holder = lab.start(sys.executable, __file__, "--hold", to, "--slow", options.slow, stdout=subprocess.PIPE)
            assert holder.stdout.readline().strip() == "holding"
            descriptors.append(len(list(pathlib.Path(f"/proc/{proxy.pid}/fd").iterdir())))
            result = run(rate)
            holder.kill()
            time.sleep(2)
            return result

        for _ in range(options.rounds):
            alone.append(run(rate))
            beside.append(with_slow(port))
            reader = lab.start(sys.executable, __file__, "--sink", stdout=subprocess.PIPE)
            beside_sink.append(with_slow(reader.stdout.readline().strip()))
            reader.kill()
        p99 = lambda runs: [r["latency"]["p99Ms"] for r in runs]
        median = lambda runs: statistics.median(p99(runs))
        result = {
            "benchmark": "slowloris", "slow": options.slow, "clients": options.clients, "seconds": options.seconds, "mostHitsPerSecond": round(most["requestsPerSecond"]), "rate": round(rate),
            "p99MsAlone": p99(alone), "p99MsBeside": p99(beside), "p99MsWhenTheyGoElsewhere": p99(beside_sink),
            "p99Ratio": round(median(beside) / median(alone), 2), "goal": 1.5, "p99RatioWhenTheyGoElsewhere": round(median(beside_sink) / median(alone), 2),
            "errors": sum(r["errors"] for r in alone + beside), "descriptorsBeside": descriptors[::2], "machine": MACHINE}
        print(json.dumps(result))
        return 1 if result["errors"] else 0


if __name__ == "__main__":
    sys.exit(main())
