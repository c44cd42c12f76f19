#!/usr/bin/python3
"""Boots real machines (QEMU, without KVM) whose operating system is a small published repository, through Breakwater.

Published, booted, verified to the byte; then a new revision whose tag moves, warmed: the next boot has it with no request to the Stratum 1;
then the old tag; then with the Stratum 1 gone; then a wrong key, which must end in the rescue shell. Exit 0 when all of it is so.

    boot.py [--image DIRECTORY] [--arch arm64 --busybox FILE] [--iso] [--keep] [--save]

Needs: dotnet build -c Release proxy; apt-get install --no-install-recommends qemu-system-x86 seabios busybox-static and what
deployment/microvm/build.sh names; for arm64 qemu-system-arm (qemu-efi-aarch64) and a static busybox of that architecture.
--iso boots ISO (BIOS), raw image (UEFI; ovmf) and user data instead.
"""
import argparse
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

from machines import BUILD, FQRN, MACHINE, ROOT, Lab, busybox, need, run

arguments = argparse.ArgumentParser()
arguments.add_argument("--image", type=pathlib.Path, help="what build.sh --user-data-key made; else it is built with the key of the test")
arguments.add_argument("--arch", choices=("amd64", "arm64"), default="amd64")
arguments.add_argument("--busybox", help="the static busybox of which the system is made; default this machine's")
arguments.add_argument("--iso", action="store_true", help="boot the ISO by BIOS, the raw image by UEFI, and user data of a drive and of a cpio, instead")
arguments.add_argument("--keep", action="store_true", help="keep the working directory")
arguments.add_argument("--save", action="store_true", help="write perf/results/boot.json, or boot-arm64.json")
arguments = arguments.parse_args()
need("cpio", arch=arguments.arch)

FIRMWARE = {"amd64": ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/ovmf/OVMF.fd"), "arm64": ("/usr/share/qemu-efi-aarch64/QEMU_EFI.fd",)}

INIT = """#!/bin/sh
# The operating system of this test: says what it sees, and switches off.
echo "MARKER $(cat /etc/revision)"
grep ' / ' /proc/mounts | sed 's/^/ROOT /'
cd / && find data etc/revision -type f -print0 | sort -z | xargs -0 sha256sum | sed 's/^/SUM /'
echo "LINK $(readlink data/link) $(stat -c %h data/hard1)"
for p in /proc/[0-9]*; do
  grep -q breakwater-mount $p/cmdline 2>/dev/null && grep -E 'VmRSS|VmHWM|RssAnon' $p/status | tr -d '\\t' | sed 's/^/MOUNT /'
done
echo "DONE"
poweroff -f
"""


def make_tree(work):
    tree = work / "tree"
    for folder in ("bin", "sbin", "data/deep/er", "etc"):
        (tree / folder).mkdir(parents=True)
    shutil.copy(arguments.busybox or busybox(), tree / "bin/busybox")
    for applet in "sh cat grep sed find sort xargs sha256sum readlink stat poweroff tr".split():
        (tree / "bin" / applet).symlink_to("busybox")
    (tree / "sbin/init").write_text(INIT)
    (tree / "sbin/init").chmod(0o755)
    source = random.Random(5)
    for i in range(40):
        (tree / f"data/deep/er/file{i}").write_bytes(source.randbytes(source.randrange(1, 60_000)))
    (tree / "data/large").write_bytes(source.randbytes(9_000_000))
    (tree / "data/empty").write_bytes(b"")
    (tree / "data/hard1").write_text("one file, two names")
    os.link(tree / "data/hard1", tree / "data/hard2")
    (tree / "data/link").symlink_to("deep/er/file0")
    (tree / "data/odd name \u00e4").write_text("odd")
    return tree


def sums(tree):
    return sorted(
        (hashlib.sha256(p.read_bytes()).hexdigest(), str(p.relative_to(tree)))
        for p in [*(tree / "data").rglob("*"), tree / "etc/revision"] if p.is_file() and not p.is_symlink())


def boot_media(lab, image, user_data, tree):
    """The ISO by BIOS and the raw image by UEFI, each with a configuration drive; then user data in a cpio before the initrd."""
    work = lab.work
    drive = work / "drive"
    (drive / "openstack/latest").mkdir(parents=True)
    (drive / "openstack/latest/user_data").write_text(user_data)
    run("xorriso", "-as", "mkisofs", "-quiet", "-V", "config-2", "-r", "-J", "-o", work / "config.iso", drive)
    config = ["-drive", f"file={work}/config.iso,format=raw,if=virtio,readonly=on"]
    before = lab.stratum1.objects()
    if arguments.arch == "amd64":
        console, seconds = lab.boot("", image, ["-cdrom", str(image / "breakwater-boot.iso"), "-boot", "d", *config], system=None)
        check(lab, "ISO, BIOS, configuration drive", console, seconds, tree, "one", before)
    firmware = next((f for f in FIRMWARE[arguments.arch] if os.path.exists(f)), None)
    if firmware:
        media = ["-drive", f"file={image}/breakwater-boot.raw,format=raw,if=virtio,snapshot=on"]
        flash = ["-bios", firmware] if arguments.arch == "arm64" else ["-drive", f"if=pflash,format=raw,readonly=on,file={firmware}"]
        console, seconds = lab.boot("", image, [*flash, *media, *config], system=None)
        check(lab, "raw image, UEFI, configuration drive", console, seconds, tree, "one", before)
    else:
        print("UEFI: no ovmf here, not tried")
    (work / "user-data").write_text(user_data)
    cpio = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=b"user-data\n", capture_output=True, cwd=work, check=True).stdout
    both = work / "both"
    both.mkdir()
    (both / "initrd.img").write_bytes(cpio + (image / "initrd.img").read_bytes())
    shutil.copy(image / "vmlinuz", both)
    console, seconds = lab.boot("cvmfs_panic=poweroff", both)
    check(lab, "user data in a cpio", console, seconds, tree, "one", before)


failures = []
rows = []


def check(lab, name, console, seconds, tree, revision, before):
    seen = sorted(tuple(line[4:].strip().split("  ", 1)) for line in console.splitlines() if line.startswith("SUM "))
    asked = lab.stratum1.objects() - before
    problems = []
    if f"MARKER {revision}" not in console:
        problems.append("no marker")
    if seen != sums(tree):
        problems.append(f"files differ: {len(seen)} of {len(sums(tree))} seen")
    if "LINK deep/er/file0 2" not in console:
        problems.append("links differ")
    mount = " ".join(line[6:].strip() for line in console.splitlines() if line.startswith("MOUNT "))
    print(f"{name}: {'; '.join(problems) or 'right'}; {seconds:.1f} s, {asked} objects from the Stratum 1; {mount}", flush=True)
    rows.append({"boot": name, "seconds": round(seconds, 1), "stratum1Objects": asked, "right": not problems, "mount": mount})
    if problems:
        failures.append(name)
        print(console[-3000:])
    return asked


def main(lab):
    image = arguments.image
    tree = make_tree(lab.work)
    (tree / "etc/revision").write_text("one\n")
    lab.publish(tree, "v1")
    words = lab.words()
    if image is None:
        image = lab.work / "image"
        run(BUILD, "--arch", arguments.arch, "--out", image, "--key", lab.public, "--repository", FQRN, "--server", "stratum1.lab",
            *([] if arguments.iso else ["--no-images"]))
        words = f"cvmfs_http_proxy=http://10.0.2.2:{lab.port} cvmfs_panic=poweroff"
    lab.serve()

    if arguments.iso:
        boot_media(lab, image, "\n".join([
            "[ucernvm-begin]", f"cvmfs_branch={FQRN}", "cvmfs_server=stratum1.lab", f'cvmfs_http_proxy="http://10.0.2.2:{lab.port}"',
            lab.key_word(), "cvmfs_tag=v1", "[ucernvm-end]", ""]), tree)
        return

    boot(lab, "cold", f"{words} cvmfs_tag=HEAD", image, tree, "one")
    if boot(lab, "warm", f"{words} cvmfs_tag=HEAD", image, tree, "one"):
        failures.append("warm asks the Stratum 1")

    old = lab.work / "old"
    shutil.copytree(tree, old, symlinks=True)
    (tree / "etc/revision").write_text("two\n")
    (tree / "data/deep/er/file3").write_bytes(b"a security update")
    lab.publish(tree, "v2")
    lab.wait_for_revision(2)
    run(*lab.program, "warm", FQRN, "--all")
    if boot(lab, "new revision", f"{words} cvmfs_tag=HEAD", image, tree, "two"):
        failures.append("the new revision asks the Stratum 1")
    boot(lab, "old tag", f"{words} cvmfs_tag=v1", image, old, "one")
    lab.stratum1.stop()
    boot(lab, "Stratum 1 gone", f"{words} cvmfs_tag=v2", image, tree, "two")

    console, seconds = lab.boot(f"{words} cvmfs_tag=none", image)
    if "FAILED: " not in console or "there is no tag 'none'" not in console or "MARKER" in console:
        failures.append("a tag that is not there")
        print(console[-3000:])
    print(f"a tag that is not there: {seconds:.1f} s")


def boot(lab, name, words, image, tree, revision):
    before = lab.stratum1.objects()
    console, seconds = lab.boot(words, image)
    return check(lab, name, console, seconds, tree, revision, before)


begun = time.monotonic()
with Lab(arch=arguments.arch) as lab:
    main(lab)
    lab.keep = arguments.keep or bool(failures)
result = {"machine": MACHINE, "arch": arguments.arch, "boots": rows, "failures": failures, "seconds": round(time.monotonic() - begun, 1)}
print(json.dumps(result))
if arguments.save:
    (ROOT / "perf/results" / ("boot.json" if arguments.arch == "amd64" else "boot-arm64.json")).write_text(json.dumps(result, indent=2) + "\n")
sys.exit(1 if failures else 0)
