#!/usr/bin/python3
"""A storm of faulty answers of ordinary HTTP: none of them is complete and wrong at a client, and none is stored.

    sudo perf/Http/faults.py --breakwater proxy/bin/Release/net10.0/breakwater [--requests 100000] [--seed 1]

The origin cuts bodies, sends less or more than it says, lies in Content-Range, uses codings that nobody knows, says two lengths, breaks chunks. Each URL is asked for while the origin is
faulty, whole or in a range, and once more when it is well: then the right bytes must come. In a network namespace of its own. Exit 1 when a wrong body was complete, stored, or a right
one did not come.
"""
import argparse, asyncio, collections, json, os, random, sys, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import clients

ORIGIN, LONGEST = 8090, (1 << 20) + 70_000
BYTES = random.Random(7).randbytes(LONGEST + 65_536)
KINDS = ("cut", "cut chunks", "short", "long", "long chunks", "lying range", "other range", "shifted", "left over", "unknown coding", "two lengths", "length and chunks", "bad chunk", "no answer", "half a head",
         "unasked 304", "well")


def content(number):
    dice = random.Random(number)
    length = dice.randrange(1_050_000, LONGEST) if number % 50 == 0 else dice.randrange(1, 3_000)
    start = dice.randrange(65_536)
    return BYTES[start:start + length]


def chunked(body, end=b"0\r\n\r\n"):
    return b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 900]), body[i:i + 900]) for i in range(0, len(body), 900)) + end


def answer(number, is_well, fields):
    """What the origin sends, and whether it keeps the connection."""
    body, dice = content(number), random.Random(f"{number} fault")
    kind = "well" if is_well else KINDS[number % len(KINDS)]
    total, first, status, range_of = len(body), 0, "200 OK", ""
    if (asked := fields.get("range")) and asked.startswith("bytes=") and "," not in asked:
        low, high = asked[6:].split("-")
        first, last = int(low), min(int(high or total), total - 1)
        if first >= total:
            return f"HTTP/1.1 416 X\r\nContent-Range: bytes */{total}\r\nContent-Length: 0\r\n\r\n".encode(), True, kind
        body, status = body[first:last + 1], "206 Partial Content"
        shown = (first, last, total)
        if kind == "lying range":
            shown = dice.choice([(first + 1, last + 1, total + 2), (first, last, last), (first, last + 10, total + 20), (0, 0, 1)])
        elif kind == "other range":
            body, shown = body[1:] or b"x", (first + 1, last, total)
        elif kind == "shifted" and first > 0:
            body, shown = content(number)[first - 1:last], (first - 1, last - 1, total)
        range_of = f"Content-Range: bytes {shown[0]}-{shown[1]}/{shown[2]}\r\n"
    elif kind in ("lying range", "other range", "shifted"):
        status, range_of = "206 Partial Content", f"Content-Range: bytes 0-{len(body)}/{len(body) + 5}\r\n"
    head = f"HTTP/1.1 {status}\r\n{range_of}Cache-Control: max-age=600\r\n"
    if number % 3:
        head += f'ETag: "{number}"\r\n'
    cut = dice.randrange(len(body))
    whole = lambda extra="", length=None: (head + extra + f"Content-Length: {len(body) if length is None else length}\r\n\r\n").encode()
    coded = lambda extra="": (head + extra + "Transfer-Encoding: chunked\r\n\r\n").encode()
    return {
        "cut": lambda: (whole() + body[:cut], False),
        "cut chunks": lambda: (coded() + chunked(body[:cut], b""), False),
        "short": lambda: (whole(length=len(body) + 1 + dice.randrange(50)) + body, False),
        "long": lambda: (whole() + body + b"and more", False),
        "long chunks": lambda: (coded() + chunked(body + b"and more") if range_of else coded() + chunked(body, b"5\r\nmore"), False),
        "lying range": lambda: (whole() + body, True),
        "other range": lambda: (whole() + body, True),
        "shifted": lambda: (whole() + body, True),
        "left over": lambda: (whole() + body + b"and more", True),
        "unknown coding": lambda: ((head + "Transfer-Encoding: rot13\r\nConnection: close\r\n\r\n").encode() + body, False),
        "two lengths": lambda: (whole(f"Content-Length: {len(body) + 3}\r\n") + body, False),
        "length and chunks": lambda: (whole("Transfer-Encoding: chunked\r\n") + chunked(body), False),
        "bad chunk": lambda: (coded() + chunked(body[:cut], b"zz\r\nnonsense\r\n0\r\n\r\n"), False),
        "no answer": lambda: (b"", False),
        "half a head": lambda: (head.encode()[:-5], False),
        "unasked 304": lambda: (b'HTTP/1.1 304 X\r\nETag: "x"\r\n\r\n', True),
        "well": lambda: (whole() + body if number % 2 else coded() + chunked(body), True),
    }[kind]() + (kind,)


class Storm:
    def __init__(self, options):
        self.options, self.well, self.wrong = options, set(), []
        self.counts = collections.Counter()

    async def serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                number = int(head[0].split(" ")[1].rsplit("/", 1)[1])
                fields = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head[1:] if line)}
                data, keeps, _ = answer(number, number in self.well, fields)
                writer.write(data)
                await writer.drain()
                if not keeps:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def ask(self, number, asked):
        """Status, body and whether the answer was whole."""
        reader, writer = await asyncio.open_connection("127.0.0.1", clients.PROXY)
        try:
            field = f"Range: {asked}\r\n" if asked else ""
            writer.write(f"GET http://{clients.NAME}:{ORIGIN}/f/{number} HTTP/1.1\r\nHost: {clients.NAME}:{ORIGIN}\r\n{field}\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            status = int(head[0].split(" ")[1])
            fields = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head[1:] if line)}
            body = b""
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

    def judge(self, number, asked, got, must_be_right):
        status, body, fields, is_whole = got
        wanted = content(number)
        if status == 206 and "content-range" in fields:
            span, _, total = fields["content-range"][6:].partition("/")
            low, high = map(int, span.split("-"))
            wanted_part = wanted[low:high + 1] if int(total) == len(wanted) else None
        else:
            wanted_part = wanted
        is_right = is_whole and status in (200, 206) and body == wanted_part
        kind = KINDS[number % len(KINDS)]
        if must_be_right:
            self.counts["right after the fault"] += is_right
            if not is_right and not (status == 416 and asked):
                self.wrong.append((number, kind, asked, status, len(body), is_whole, "not right when the origin was well"))
        else:
            self.counts["refused" if status >= 400 or status == 0 else "whole and right" if is_right else "cut" if not is_whole else "other"] += 1
            if is_whole and status in (200, 206) and not is_right:
                self.wrong.append((number, kind, asked, status, len(body), is_whole, "complete and wrong"))

    async def work(self, numbers):
        for number in numbers:
            dice = random.Random(f"{number} {self.options.seed}")
            length = len(content(number))
            low = dice.randrange(length)
            asked = None if dice.random() < 0.6 else f"bytes={low}-{'' if dice.random() < 0.3 else low + dice.randrange(1, 3_000)}"
            self.judge(number, asked, await asyncio.wait_for(self.ask(number, asked), 60), False)
            self.well.add(number)
            self.judge(number, None, await asyncio.wait_for(self.ask(number, None), 60), True)
            self.well.discard(number)

    async def run(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", ORIGIN, backlog=1000)
        numbers = iter(range(self.options.requests // 2))
        await asyncio.gather(*(self.work(numbers) for _ in range(32)))
        server.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--breakwater", required=True)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    with clients.laboratory(options) as (folder, started):
        started.append(clients.start_proxy(os.path.abspath(options.breakwater), folder))
        storm, began = Storm(options), time.monotonic()
        asyncio.run(storm.run())
        print(f"{options.requests} requests, {time.monotonic() - began:.0f} s: {dict(storm.counts)}; {len(storm.wrong)} wrong {json.dumps(storm.wrong[:8])}")
        return 1 if storm.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
