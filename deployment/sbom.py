#!/usr/bin/env python3
"""A CycloneDX list of what the program is made of, from the lock file of its packages. Usage: sbom.py VERSION > FILE"""
import json, os, pathlib, sys, time, uuid

root = pathlib.Path(__file__).resolve().parent.parent
version = sys.argv[1]
moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))))
packages = {}
for lock in sorted(root.glob("*/packages.lock.json")):
    for framework in json.loads(lock.read_text())["dependencies"].values():
        for name, entry in framework.items():
            if entry.get("type") != "Project" and "resolved" in entry:
                packages[(name, entry["resolved"])] = entry.get("contentHash")
components = []
for (name, resolved), digest in sorted(packages.items()):
    component = {"type": "library", "name": name, "version": resolved, "purl": f"pkg:nuget/{name}@{resolved}", "bom-ref": f"pkg:nuget/{name}@{resolved}"}
    if digest:
        import base64
        component["hashes"] = [{"alg": "SHA-512", "content": base64.b64decode(digest).hex()}]
    components.append(component)
print(json.dumps({
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "serialNumber": "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_URL, f"breakwater@{version}")),
    "version": 1,
    "metadata": {"timestamp": moment, "component": {"type": "application", "name": "breakwater", "version": version, "bom-ref": f"breakwater@{version}"}},
    "components": components,
}, indent=2))
