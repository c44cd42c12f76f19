#!/usr/bin/python3
"""A storm of faulty answers of ordinary HTTP: none of them is complete and wrong at a client, and none is stored.

    sudo perf/Http/faults.py --breakwater proxy/bin/Release/net10.0/breakwater [--faults 100000] [--seed 1] [--save]

The origin cuts bodies, sends less or more than it says, lies in Content-Range, uses codings that nobody knows, says two lengths, breaks chunks. Each URL is asked for while the origin is
faulty, whole or in a range, and once more when it is well: then the right bytes must come. URLs are asked for until so many of them had a faulty answer. The seed decides contents, faults,
how each is made and what is asked. In a network namespace of its own. Exit 1 when a wrong body was complete, stored, or a right one did not come. --save writes results/http.json.
"""
import argparse, asyncio, collections, functools, json, os, random, sys, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import clients, saved

ORIGIN, LONGEST = 8090, (1 << 20) + 70_000
KINDS = ("cut", "cut chunks", "short", "long", "long chunks", "lying range", "other range", "shifted", "less", "two ranges", "unknown coding", "two lengths", "length and chunks", "bad chunk",
         "no answer", "half a head", "unasked 304", "left over", "two answers", "well")
OF_RANGES = ("lying range", "other range", "shifted", "less", "two ranges")


def chunked(body, end=b"0\r\n\r\n"):
    return b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 900]), body[i:i + 900]) for i in range(0, len(body), 900)) + end


class Plan:
    """What the seed decides of each URL: content, fault, and how it is asked for."""

    def __init__(self, seed, kinds):
        self.seed, self.kinds = seed, kinds
        self.bytes = random.Random(f"{seed} bytes").randbytes(LONGEST + 65_536)

    def dice(self, number, what):
        return random.Random(f"{self.seed} {number} {what}")

    @functools.lru_cache(4096)
    def content(self, number):
        dice = self.dice(number, "content")
        length = dice.randrange(1_050_000, LONGEST) if dice.random() < 0.02 else dice.randrange(2, 3_000)
        start = dice.randrange(65_536)
        return self.bytes[start:start + length]

    @functools.lru_cache(4096)
    def kind(self, number):
        return self.dice(number, "kind").choice(self.kinds)

    def question(self, number):
        """The fields of the first request: a range or the whole, and a password with some, which are then asked for as the client said it and not in slices."""
        dice = self.dice(number, "question")
        low = dice.randrange(len(self.content(number)))
        asked = "" if dice.random() < 0.6 else f"Range: bytes={low}-{'' if dice.random() < 0.3 else low + dice.randrange(1, 3_000)}\r\n"
        return asked + ("Authorization: Basic eA==\r\n" if dice.random() < 0.3 else "")

    def range_told(self, kind, dice, first, last, total):
        """What is sent for a range, and what is said of it; whether that is a fault."""
        if kind == "lying range":
            lies = [(first + 1, last + 1, total + 2), (first, last, last), (first, last + 10, total + 20), (first + 1, last + 1, total)]
            return first, last, dice.choice(lies), True
        if kind == "other range" and first < last:
            return first + 1, last, (first + 1, last, total), True
        if kind == "shifted" and first > 0:
            return first - 1, last - 1, (first - 1, last - 1, total), True
        if kind == "less" and first < last:
            return first, last - 1, (first, last - 1, total), True
        return first, last, (first, last, total), kind == "two ranges"

    def answer(self, number, is_well, fields):
        """What the origin sends, whether it keeps the connection, and whether that is a fault."""
        content, dice = self.content(number), self.dice(number, "answer")
        kind = "well" if is_well else self.kind(number)
        first, last, status, part, is_fault = 0, len(content) - 1, "200 OK", "", kind not in ("well", *OF_RANGES)
        if (asked := fields.get("range")) and asked.startswith("bytes=") and "," not in asked:
            low, high = asked[6:].split("-")
            first, last = int(low), min(int(high or last), last)
            if first > last:
                return f"HTTP/1.1 416 X\r\nContent-Range: bytes */{len(content)}\r\nContent-Length: 0\r\n\r\n".encode(), True, False
            first, last, told, is_lie = self.range_told(kind, dice, first, last, len(content))
            status, part = "206 Partial Content", f"Content-Range: bytes {told[0]}-{told[1]}/{told[2]}\r\n"
            if kind == "two ranges":
                part += f"Content-Range: bytes 0-{last}/{len(content) + 1}\r\n"
            is_fault = is_fault or is_lie
        elif kind in ("lying range", "other range", "shifted"):
            status, part, is_fault = "206 Partial Content", f"Content-Range: bytes 0-{len(content)}/{len(content) + 5}\r\n", True
        head = f"HTTP/1.1 {status}\r\n{part}Cache-Control: max-age=600\r\n"
        if dice.random() < 0.67:
            head += f'ETag: "{number}"\r\n'
        return *self.sent(kind, dice, head, content[first:last + 1]), is_fault

    @staticmethod
    def sent(kind, dice, head, body):
        cut, more = dice.randrange(len(body)), 1 + dice.randrange(50)
        whole = lambda extra="", length=None: (head + extra + f"Content-Length: {len(body) if length is None else length}\r\n\r\n").encode()
        coded = lambda extra="": (head + extra + "Transfer-Encoding: chunked\r\n\r\n").encode()
        ways = {
            "cut": lambda: (whole() + body[:cut], False),
            "cut chunks": lambda: (coded() + chunked(body[:cut], b""), False),
            "short": lambda: (whole(length=len(body) + more) + body, False),
            "long": lambda: (whole() + body + b"and more", False),
            "long chunks": lambda: (coded() + (chunked(body + b"and more") if " 206 " in head else chunked(body, b"5\r\nmore")), False),
            "left over": lambda: (whole() + body + b"and more", True),
            # Behind a long body the second would come after the next request was sent, whether the connection ends or not: an answer like any other, which nobody can know (ADR 141).
            "two answers": lambda: (whole() + body + whole() + bytes(len(body)), True) if len(body) < 65_536 else (whole() + body + b"and more", False),
            "unknown coding": lambda: ((head + "Transfer-Encoding: rot13\r\nConnection: close\r\n\r\n").encode() + body, False),
            "two lengths": lambda: (whole(f"Content-Length: {len(body) + 3}\r\n") + body, False),
            "length and chunks": lambda: (whole("Transfer-Encoding: chunked\r\n") + chunked(body), False),
            "bad chunk": lambda: (coded() + chunked(body[:cut], b"zz\r\nnonsense\r\n0\r\n\r\n"), False),
            "no answer": lambda: (b"", False),
            "half a head": lambda: (head.encode()[:-5], False),
            "unasked 304": lambda: (b'HTTP/1.1 304 X\r\nETag: "x"\r\n\r\n', True),
        }
        return ways.get(kind, lambda: (whole() + body if dice.random() < 0.5 or kind in OF_RANGES else coded() + chunked(body), True))()


class Storm:
    def __init__(self, options):
        self.options, self.plan, self.well, self.wrong = options, Plan(options.seed, options.kinds.split(",")), set(), []
        self.met, self.asked = {}, 0  # URLs that had a faulty answer: how many
        self.ends, self.kinds = collections.Counter(), collections.Counter()

    async def serve(self, reader, writer):
        try:
            while True:
                first, fields = head_of(await reader.readuntil(b"\r\n\r\n"))
                number = int(first[1].rsplit("/", 1)[1])
                data, keeps, is_fault = self.plan.answer(number, number in self.well, fields)
                if is_fault:
                    self.met[number] = self.met.get(number, 0) + 1
                writer.write(data)
                await writer.drain()
                if not keeps:
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # cancelled: the storm is over
        finally:
            writer.close()

    async def ask(self, number, question):
        """Status, body, fields and whether the answer was whole."""
        reader, writer = await asyncio.open_connection("127.0.0.1", clients.PROXY)
        try:
            writer.write(f"GET http://{clients.NAME}:{ORIGIN}/f/{number} HTTP/1.1\r\nHost: {clients.NAME}:{ORIGIN}\r\n{question}\r\n".encode())
            first, fields = head_of(await reader.readuntil(b"\r\n\r\n"))
            status, body = int(first[1]), b""
            try:
                if "content-length" in fields:
                    body = await reader.readexactly(int(fields["content-length"]))
                else:
                    while size := int((await reader.readline()).strip() or b"zz", 16):
                        body += await reader.readexactly(size)
                        await reader.readexactly(2)
                    await reader.readline()
            except (asyncio.IncompleteReadError, ConnectionError, ValueError):
                return status, body, fields, False
            return status, body, fields, True
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0, b"", {}, False
        finally:
            writer.close()

    def is_right(self, number, status, body, fields):
        wanted = self.plan.content(number)
        if status == 206:
            span, _, total = fields.get("content-range", "bytes 0-0/0")[6:].partition("/")
            low, high = map(int, span.split("-"))
            return int(total) == len(wanted) and body == wanted[low:high + 1]
        return status == 200 and body == wanted

    def judge(self, number, question, got, is_well):
        status, body, fields, is_whole = got
        is_right = is_whole and self.is_right(number, status, body, fields)
        self.asked += 1
        fault = "" if is_right else "not right when the origin was well" if is_well else "complete and wrong" if is_whole and status in (200, 206) else ""
        if fault:
            said = body[:100].decode("latin-1") if status >= 400 else fields.get("cache-status")
            self.wrong.append((number, self.plan.kind(number), question, status, len(body), len(self.plan.content(number)), said, fault))
        if number in self.met and not is_well:
            self.kinds[self.plan.kind(number)] += 1
            self.ends["whole and right" if is_right else "refused" if status >= 400 else "ended without an answer" if status == 0 else "cut" if not is_whole else fault] += 1

    async def work(self, numbers):
        while len(self.met) < self.options.faults:
            number = next(numbers)
            question = self.plan.question(number)
            self.judge(number, question, await asyncio.wait_for(self.ask(number, question), 60), False)
            self.well.add(number)
            self.judge(number, "", await asyncio.wait_for(self.ask(number, ""), 60), True)
            self.well.discard(number)

    async def run(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", ORIGIN, backlog=1000)
        numbers = iter(range(1 << 40))
        await asyncio.gather(*(self.work(numbers) for _ in range(32)))
        server.close()


def head_of(head):
    """The words of the first line, and the fields."""
    lines = head.decode("latin-1").split("\r\n")
    return lines[0].split(" "), {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:] if line)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--breakwater", required=True)
    parser.add_argument("--faults", type=int, default=100_000, help="URLs that have a faulty answer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default=",".join(KINDS), help="faults among which the seed chooses")
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    breakwater = os.path.abspath(options.breakwater)
    with clients.laboratory(options) as (folder, started):
        started.append(clients.start_proxy(breakwater, folder))
        storm, began = Storm(options), time.monotonic()
        asyncio.run(storm.run())
        seconds = round(time.monotonic() - began)
        print(f"{len(storm.met)} faults in {sum(storm.met.values())} answers, {storm.asked} requests, {seconds} s: {dict(storm.ends)}; {len(storm.wrong)} wrong {json.dumps(storm.wrong[:40])}")
        if options.save:
            saved.save("faults", breakwater, seed=options.seed, faults=len(storm.met), faultyAnswers=sum(storm.met.values()), requests=storm.asked, seconds=seconds,
                       ends=dict(sorted(storm.ends.items())), kinds=dict(sorted(storm.kinds.items())), wrong=len(storm.wrong))
        return 1 if storm.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
