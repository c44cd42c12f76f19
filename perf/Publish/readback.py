#!/usr/bin/python3
"""Reads a published repository with nothing of Breakwater in it (sqlite3, zlib, hashlib) and compares every entry with the tree.

    readback.py TREE FOLDER/cvmfs/FQRN [URL]

With URL (such as http://127.0.0.1:3128/cvmfs/FQRN) everything is fetched from there instead of read from the folder.
Exit 0: types, modes, owners, times, sizes, links, devices, extended attributes and all bytes are the same; the sums of every catalog,
its link counts and hard link groups are what CernVM-FS's own check wants.
"""
import hashlib
import os
import sqlite3
import stat
import struct
import sys
import tempfile
import urllib.request
import zlib

tree, folder = os.fsencode(sys.argv[1]), sys.argv[2]
url = sys.argv[3] if len(sys.argv) > 3 else None
problems = []
seen = set()
EMPTY = "d41d8cd98f00b204e9800998ecf8427e"


def wrong(path, *what):
    problems.append(f"{path!r}: {' '.join(map(str, what))}")


def get(name):
    if url:
        request = urllib.request.Request(f"{url}/{name}")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return answer.read()
    with open(os.path.join(folder, name), "rb") as file:
        return file.read()


def wire(digest, suffix=""):
    data = get(f"data/{digest[:2]}/{digest[2:]}{suffix}")
    if hashlib.sha1(data).hexdigest() != digest:
        wrong(digest, "has another hash")
    return zlib.decompress(data)


def halves(path):
    return struct.unpack("<qq", hashlib.md5(path).digest())


def xattrs(path):
    found = {}
    for name in os.listxattr(path, follow_symlinks=False):
        value = os.getxattr(path, name, follow_symlinks=False)
        raw = os.fsencode(name)
        if len(raw) < 256 and len(value) < 256 and not raw.startswith(b"trusted.overlay."):
            found[raw] = value
    if not found:
        return None
    blob = bytes([1, len(found)])
    for name in sorted(found):
        blob += bytes([len(name), len(found[name])]) + name + found[name]
    return blob


def catalog(digest, prefix, parent_row):
    """Checks a catalog and all below it; gives its own counters and those of everything below."""
    data = wire(digest, "C")
    handle, name = tempfile.mkstemp()
    os.write(handle, data)
    os.close(handle)
    base = sqlite3.connect(f"file:{name}?immutable=1", uri=True)
    base.text_factory = bytes
    os.unlink(name)
    properties = dict(base.execute("SELECT key, value FROM properties"))
    if properties[b"schema"] != b"2.5" or properties.get(b"root_prefix", b"") != prefix:
        wrong(prefix, "properties", properties)
    own = dict.fromkeys("regular symlink special dir nested chunked chunks file_size chunked_size xattr external external_file_size".split(), 0)
    nested = {path: (digest.decode(), size) for path, digest, size in base.execute("SELECT path, sha1, size FROM nested_catalogs")}
    groups = {}
    visited = 0

    def row_of(path):
        return base.execute(
            "SELECT parent_1, parent_2, hardlinks, hash, size, mode, mtime, flags, name, CAST(symlink AS BLOB), uid, gid, xattr"
            " FROM catalog WHERE md5path_1=? AND md5path_2=?", halves(path)).fetchone()

    def entry(path, is_root):
        nonlocal visited
        real = tree + path
        row = row_of(path)
        if row is None:
            return wrong(path, "has no row")
        visited += 1
        parent_1, parent_2, links, digest, size, mode, mtime, flags, name, target, uid, gid, blob = row
        synthetic = not os.path.lexists(real)
        if synthetic and os.path.basename(path) != b".cvmfscatalog":
            return wrong(path, "is not in the tree")
        directory = os.path.dirname(path)
        if path == b"":
            if (parent_1, parent_2, name) != (0, 0, b""):
                wrong(path, "root row", row)
        elif (parent_1, parent_2) != halves(b"" if directory == b"/" else directory) or name != os.path.basename(path):
            wrong(path, "parent or name")
        if synthetic:
            own["regular"] += 1
            return None
        at = os.lstat(real)
        if (at.st_mode, at.st_uid, at.st_gid, at.st_mtime_ns // 10**9) != (mode, uid, gid, mtime):
            wrong(path, "mode, owner or time", oct(mode), uid, gid, mtime)
        if xattrs(real) != blob:
            wrong(path, "extended attributes", blob)
        own["xattr"] += blob is not None
        kind = stat.S_IFMT(at.st_mode)
        if kind == stat.S_IFDIR:
            below = sorted(n for n in os.listdir(real) if path != b"" or n != b".cvmfscatalog")
            is_mountpoint = path in nested and not is_root
            if flags != (1 | (32 if is_root and path else 0) | (2 if is_mountpoint else 0)):
                wrong(path, "flags", flags)
            directories = sum(stat.S_ISDIR(os.lstat(os.path.join(real, n)).st_mode) for n in below)
            if links != 2 + directories or size != 4096 or digest is not None or target != b"":
                wrong(path, "directory row", links, size)
            own["dir"] += 1
            own["nested"] += is_mountpoint
            if is_mountpoint:
                return row
            rows = {n for n, in base.execute("SELECT CAST(name AS BLOB) FROM catalog WHERE parent_1=? AND parent_2=? AND name<>''", halves(path))}
            if rows != set(below) and rows != set(below) | {b".cvmfscatalog"}:
                wrong(path, "holds", rows ^ set(below))
            by_inode = {}
            for n in below:
                one = os.lstat(os.path.join(real, n))
                if not stat.S_ISDIR(one.st_mode):
                    by_inode.setdefault((one.st_dev, one.st_ino), []).append(n)
            for members in by_inode.values():
                values = {row_of(path + b"/" + n)[2] for n in members}
                value = values.pop()
                if values or value & 0xffffffff != len(members) or (value >> 32 > 0) != (len(members) > 1):
                    wrong(path, "hard links", members, value, values)
                if value >> 32 and groups.setdefault(value >> 32, (path, members)) != (path, members):
                    wrong(path, "group used twice", value >> 32)
            for n in sorted(rows):
                child = path + b"/" + n
                mountpoint = entry(child, False)
                if mountpoint is not None:
                    nested_rows.append((child, mountpoint))
        elif kind == stat.S_IFLNK:
            own["symlink"] += 1
            if flags != 12 or target != os.readlink(real) or size != len(target) or digest is not None:
                wrong(path, "link row", flags, target)
        elif kind == stat.S_IFREG:
            own["regular"] += 1
            own["file_size"] += size
            pieces = base.execute("SELECT offset, size, hash FROM chunks WHERE md5path_1=? AND md5path_2=? ORDER BY offset", halves(path)).fetchall()
            own["chunked"] += bool(pieces)
            own["chunks"] += len(pieces)
            own["chunked_size"] += size if pieces else 0
            if flags != (68 if pieces else 4) or size != at.st_size or target != b"" or (digest is None) != bool(pieces):
                wrong(path, "file row", flags, size)
            with open(real, "rb") as file:
                if pieces:
                    for offset, length, piece in pieces:
                        if file.tell() != offset or wire(piece.hex(), "P") != file.read(length) or not 0 < length <= 16 << 20:
                            wrong(path, "chunk at", offset)
                    if file.read(1):
                        wrong(path, "chunks end too early")
                elif digest is not None and (digest, size) not in seen:
                    if wire(digest.hex()) != file.read():
                        wrong(path, "bytes")
        else:
            own["special"] += 1
            device = at.st_rdev if kind in (stat.S_IFCHR, stat.S_IFBLK) else 0
            if flags != 20 or size != device or digest is not None:
                wrong(path, "special row", flags, size)
        return None

    nested_rows = []
    entry(prefix, True)
    if base.execute("SELECT count(*) FROM catalog").fetchone()[0] != visited:
        wrong(prefix, "has rows that hang in the air")
    if parent_row is not None:
        own_row = row_of(prefix)
        if own_row[:7] + own_row[8:] != parent_row[:7] + parent_row[8:]:
            wrong(prefix, "root and mountpoint differ")
        if row_of(prefix + b"/.cvmfscatalog") is None:
            wrong(prefix, "has no .cvmfscatalog")
    below = dict.fromkeys(own, 0)
    if {path for path, _ in nested_rows} != set(nested):
        wrong(prefix, "nested catalogs", set(nested))
    for path, mountpoint in nested_rows:
        child, size = nested[path]
        child_own, child_below, child_size = catalog(child, path, mountpoint)
        if child_size != size:
            wrong(path, "size of the nested catalog", size)
        for counter in below:
            below[counter] += child_own[counter] + child_below[counter]
    stated = {k.decode(): v for k, v in base.execute("SELECT counter, value FROM statistics")}
    expected = {f"self_{k}": v for k, v in own.items()} | {f"subtree_{k}": v for k, v in below.items()}
    if stated != expected:
        wrong(prefix, "statistics", {k: (stated.get(k), v) for k, v in expected.items() if stated.get(k) != v})
    total[0] += visited
    total[1] += 1
    return own, below, len(data)


total = [0, 0]
sys.setrecursionlimit(20000)
manifest = dict((line[:1].decode(), line[1:].decode()) for line in get(".cvmfspublished").split(b"--\n")[0].splitlines())
if manifest["R"] != EMPTY:
    wrong("", "manifest", manifest)
_, _, length = catalog(manifest["C"], b"", None)
if length != int(manifest["B"]):
    wrong("", "size of the root catalog")
wire(manifest["X"], "X")
wire(manifest["H"], "H")
if not url and hashlib.sha1(get(".cvmfsreflog")).hexdigest() != manifest["Y"]:
    wrong("", "reflog")
for problem in problems[:20]:
    print(problem)
print(f"{total[0]} rows in {total[1]} catalogs, {len(problems)} differences")
sys.exit(1 if problems else 0)
