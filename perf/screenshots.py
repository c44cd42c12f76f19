#!/usr/bin/env python3
"""Photographs the status page: empty, during a storm (light, dark, phone, a boot's requests), after it.

A Stratum 1 25 ms away, a proxy with an empty store, and VMs with an address each, of which some stop half-way. Playwright and its node are those of the functional
tests, Chromium is Debian's (or BREAKWATER_CHROMIUM). docs/images has light, dark, phone, boot and after.

Build first: dotnet build -c Release proxy tests/Proxy.FunctionalTests && dotnet build -c Release perf/Storm
usage: perf/screenshots.py OUTPUT_DIRECTORY [--vms 300] [--stopped 4]
"""
import argparse, json, os, pathlib, random, socket, subprocess, sys, threading, time

from lab import Lab, ROOT, free_port, get, ready

FQRN = "minios.example.org"
TRACE = ROOT / "tests/fixtures/minios/boot-requests.v1.txt"
DRIVER = ROOT / "tests/Proxy.FunctionalTests/bin/Release/net10.0/.playwright"
parser = argparse.ArgumentParser()
parser.add_argument("output", type=pathlib.Path)
parser.add_argument("--vms", type=int, default=300)
parser.add_argument("--stopped", type=int, default=4)
arguments = parser.parse_args()

PHOTOGRAPH = """
const { chromium } = await import(process.argv[2]);
const [url, shots] = [process.argv[3], JSON.parse(process.argv[4])];
const browser = await chromium.launch({ executablePath: process.env.BREAKWATER_CHROMIUM || "/usr/bin/chromium", args: ["--headless", "--no-sandbox", "--disable-gpu"] });
await Promise.all(shots.map(async ({ file, width, height, scheme, click, seconds, whole }) => {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, isMobile: width < 600, hasTouch: width < 600 });
  const page = await context.newPage();
  page.on("pageerror", e => { console.error(file, String(e)); process.exitCode = 1; });
  await page.goto(url);
  await page.waitForTimeout(seconds * 1000);
  if (click) { await page.locator(click).first().click(); await page.waitForSelector("#details[open]"); await page.waitForTimeout(3000); }
  const wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  if (wide > 0) { console.error(file, "is wider than its window by", wide); process.exitCode = 1; }
  await page.screenshot({ path: file, fullPage: whole });
}));
await browser.close();
"""


def photograph(admin, *shots):
    """Begins; the pages are opened at once and look for as long as each says."""
    for shot in shots:
        shot["file"] = str(arguments.output.resolve() / shot["file"])
    script = lab.work / "photograph.mjs"
    script.write_text(PHOTOGRAPH)
    node = next((DRIVER / "node").rglob("node"))
    return subprocess.Popen([node, script, (DRIVER / "package/index.mjs").as_uri(), f"http://127.0.0.1:{admin}/", json.dumps(shots)])


def shot(file, width=1280, height=1140, scheme="light", seconds=8, whole=False, click=None):
    return dict(file=file, width=width, height=height, scheme=scheme, seconds=seconds, whole=whole, click=click)


def boot(number, port, paths, is_stopping):
    """A VM: it asks, it thinks."""
    rest = random.Random(number)
    with socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(f"127.10.{number >> 8}.{number & 255}", 0)) as connection:
        file = connection.makefile("rb")
        for path in paths[: len(paths) * 2 // 5] if is_stopping else paths:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: s1\r\n\r\n".encode())
            assert file.readline().split()[1] == b"200"
            length = 0
            while (line := file.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            assert len(file.read(length)) == length
            time.sleep(rest.uniform(0, 0.04))


arguments.output.mkdir(parents=True, exist_ok=True)
with Lab() as lab:
    upstream, admin = lab.upstream("--tar", ROOT / "tests/fixtures" / f"{FQRN}.tar", "--delay-ms", 25), free_port()
    _, port = lab.breakwater([upstream], FQRN, Admin__Listen=f"127.0.0.1:{admin}", Repositories__KeysDirectory=str(ROOT / "tests/fixtures"), WorkingSets__Learn="true")
    ready(admin, "/healthz/live")
    assert photograph(admin, shot("empty.png", whole=True, seconds=4)).wait(120) == 0

    ready(port, manifest := f"/cvmfs/{FQRN}/.cvmfspublished")
    paths = [manifest] + list(dict.fromkeys(line.split()[-1] for line in TRACE.read_text().splitlines() if "/data/" in line))
    random.seed(7)
    stopped = set(random.sample(range(5, 30), arguments.stopped))
    vms = [threading.Thread(target=boot, args=[n, port, paths, n in stopped]) for n in range(1, arguments.vms + 1)]
    photographer = None
    for number, vm in enumerate(vms):
        vm.start()
        time.sleep(0.1)
        if number == arguments.vms * 2 // 5 and photographer is None:
            photographer = photograph(admin, shot("light.png", seconds=14, height=1560), shot("dark.png", scheme="dark", seconds=14, height=1560), shot("phone.png", width=390, height=1800, seconds=14),
                                      shot("phone-dark.png", width=390, height=844, scheme="dark", seconds=14, whole=True), shot("whole.png", seconds=14, whole=True),
                                      shot("boot.png", height=960, seconds=10, click=".boot.done"))
    assert photographer.wait(180) == 0
    for vm in vms:
        vm.join()
    time.sleep(25)  # A silence of 20 s is what tells that a VM has stopped.
    assert photograph(admin, shot("after.png", seconds=5), shot("after-dark.png", seconds=5, scheme="dark", whole=True), shot("after-phone.png", width=390, height=844, seconds=5, whole=True),
                      shot("stopped.png", seconds=5, height=960, click=".boot.stopped")).wait(120) == 0
