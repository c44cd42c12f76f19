#!/usr/bin/python3
"""A mirror that is republished in the middle of a storm: no client has two generations in one body.

    sudo perf/Http/republish.py --breakwater proxy/bin/Release/net10.0/breakwater [--rounds 100] [--clients 40] [--save]

Each round, nginx's file is replaced by the next generation while clients read it whole, in ranges, with If-Range and with max-age=0; every block of the file names its generation.
What is asked with max-age=0 after the replacement must be the new one. In a network namespace of its own. Exit 1 when anything was mixed or old.
"""
import argparse, concurrent.futures, http.client, os, random, sys, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import clients, saved

BLOCK, BLOCKS = 4096, 1024 + 3


def body_of(generation):
    return b"".join(generation.to_bytes(8, "big") + block.to_bytes(8, "big") + bytes(BLOCK - 16) for block in range(BLOCKS))


class Storm:
    def __init__(self, mirror, url):
        self.mirror, self.url, self.wrong = mirror, url, []
        self.answers = self.cut = 0

    def publish(self, name, generation):
        path = os.path.join(self.mirror.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "wb") as f:
            f.write(body_of(generation))
        at = 1_700_000_000 + 10 * generation  # nginx's tag is made of the time in seconds and the length
        os.utime(path + ".new", (at, at))
        os.rename(path + ".new", path)

    def ask(self, name, seed, at_least=0):
        dice = random.Random(seed)
        fields, start = {}, 0
        kind = dice.randrange(4) if at_least == 0 else 3
        if kind in (1, 2):
            start = dice.randrange(BLOCKS) * BLOCK
            fields["Range"] = f"bytes={start}-" if kind == 1 else f"bytes={start}-{start + dice.randrange(1, 200) * BLOCK - 1}"
        elif kind == 3:
            fields["Cache-Control"] = "max-age=0"
        connection = http.client.HTTPConnection("127.0.0.1", clients.PROXY, timeout=60)
        try:
            connection.request("GET", f"{self.url}/{name}", headers=fields)
            answer = connection.getresponse()
            start = start if answer.status == 206 else 0
            try:
                body = answer.read()
            except (http.client.IncompleteRead, ConnectionError) as e:
                self.cut += 1
                body = getattr(e, "partial", b"")
            if answer.status not in (200, 206):
                return self.wrong.append(f"status {answer.status}")
            seen = {int.from_bytes(body[i:i + 8], "big") for i in range(0, len(body) - 8, BLOCK)}
            places = all(int.from_bytes(body[i + 8:i + 16], "big") == (start + i) // BLOCK for i in range(0, len(body) - 16, BLOCK))
            if len(seen) > 1 or not places:
                self.wrong.append(f"{fields}: generations {seen}, places {places}")
            elif seen and min(seen) < at_least:
                self.wrong.append(f"{fields}: generation {seen} after {at_least} was published")
            self.answers += 1
        except Exception as e:  # noqa: BLE001: whatever ends an answer is counted, not hidden
            self.wrong.append(repr(e))
        finally:
            connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--breakwater", required=True)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--save", action="store_true", help="in results/http.json")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    with clients.laboratory(options) as (folder, started):
        mirror = clients.Mirror(folder)
        started.append(mirror.process)
        storm = Storm(mirror, f"http://{clients.NAME}:{clients.MIRROR}")
        started.append(clients.start_proxy(os.path.abspath(options.breakwater), folder))
        with concurrent.futures.ThreadPoolExecutor(options.clients) as pool:
            for number in range(options.rounds):
                name = f"republish/file-{number % 5}"
                storm.publish(name, 2 * number + 1)
                asked = [pool.submit(storm.ask, name, (number << 16) + i) for i in range(options.clients)]
                time.sleep(random.Random(number).random() / 20)
                storm.publish(name, 2 * number + 2)
                asked.append(pool.submit(storm.ask, name, number, 2 * number + 2))
                concurrent.futures.wait(asked)
        print(f"{options.rounds} rounds, {storm.answers} answers, {storm.cut} of them cut, {len(storm.wrong)} mixed, old or failed {storm.wrong[:5]}")
        if options.save:
            saved.save("republish", os.path.abspath(options.breakwater), rounds=options.rounds, answers=storm.answers, cut=storm.cut, wrong=len(storm.wrong))
        return 1 if storm.wrong or not storm.answers else 0


if __name__ == "__main__":
    sys.exit(main())
