#!/usr/bin/python3
"""Up and down between two builds on one store: nothing of CernVM-FS is fetched again, and a build that knows no ordinary HTTP refuses its settings with a sentence.

    sudo perf/Http/versions.py --older OLDER/breakwater --breakwater proxy/bin/Release/net10.0/breakwater [--save]

--older is a build of before ordinary HTTP was cached, such as commit aa121a4. In a network namespace of its own. Exit 1 when something was fetched again or not refused.
Build first: dotnet build -c Release perf/Storm
"""
import argparse, json, os, subprocess, sys
sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")]
import clients, lab, saved

FQRN, FIXTURES = "minios.example.org", lab.ROOT / "perf/Laboratory/fixtures"
PATHS = list(dict.fromkeys(line for line in (FIXTURES / "minios/boot-requests.v1.txt").read_text().split() if "/data/" in line))


class Store:
    """One store, served by one build after the other."""

    def __init__(self, folder, upstream):
        self.folder, self.upstream = folder, upstream

    def serve(self, breakwater, **sections):
        settings = os.path.join(self.folder, "settings.json")
        with open(settings, "w") as f:
            json.dump({
                "Proxy": {"Listen": [f"127.0.0.1:{clients.PROXY}"]}, "Admin": {"Listen": ""}, "Logging": {"LogLevel": {"Default": "Warning"}},
                "Store": {"Path": os.path.join(self.folder, "store"), "QuotaBytes": 1 << 30, "MinFreeBytes": 0}, "Repositories": {FQRN: {"Cluster": "lab"}},
                "ReverseProxy": {"Clusters": {"lab": {"Destinations": {"1": {"Address": f"http://127.0.0.1:{self.upstream}/"}}},
                                              **{c: {"HealthCheck": {"Active": {"Enabled": False}}} for c in ("stratum1", "egi", "osg")}}}, **sections}, f)
        return subprocess.Popen([breakwater, "serve", "--settings", settings], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def asked(self):
        return json.loads(lab.get(self.upstream, "/_control/counters")[1])["objectRequests"]

    def boot(self, breakwater, **sections):
        """All objects of a boot; how many were fetched for it, and whether what is asked of the mirror beside was there."""
        process, before = self.serve(breakwater, **sections), self.asked()
        clients.wait_for(clients.PROXY)
        lab.warm(clients.PROXY, PATHS)
        page = None
        if sections:
            asked = subprocess.run(["curl", "-s", "-x", f"127.0.0.1:{clients.PROXY}", "-D", "-", "-o", "/dev/null", f"http://{clients.NAME}:{clients.MIRROR}/page"], capture_output=True, text=True).stdout
            page = "hit" if "; hit" in asked else "asked"
        process.terminate()
        process.wait(60)
        return self.asked() - before, page


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--older", required=True)
    parser.add_argument("--breakwater", required=True)
    parser.add_argument("--save", action="store_true", help="in results/http.json")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    older, newer = os.path.abspath(options.older), os.path.abspath(options.breakwater)
    http = {"Http": {"QuotaShare": 0.3}, "Access": {"Destinations": [f"{clients.NAME}:*"], "AllowedUpstreams": ["127.0.0.1/32"]}}
    with clients.laboratory(options) as (folder, started):
        mirror = clients.Mirror(folder)
        started.append(mirror.process)
        mirror.put("page", b"a page")
        origin = subprocess.Popen(["dotnet", lab.STORM, "upstream", "--port", "0", "--tar", FIXTURES / f"{FQRN}.tar"], stdout=subprocess.PIPE, text=True)
        started.append(origin)
        store = Store(folder, int(origin.stdout.readline().rsplit(":", 1)[1]))
        steps = {"older, a cold store": store.boot(older), "newer, the same store": store.boot(newer, **http)}
        refusing = store.serve(older, **http)
        said, code = refusing.communicate(timeout=60)[1].strip().split("\n"), refusing.returncode
        steps |= {"older again, without the section": store.boot(older), "newer again": store.boot(newer, **http)}
        for step, (fetched, page) in steps.items():
            print(f"{step}: {fetched} of {len(PATHS)} objects fetched{f', a page of the mirror: {page}' if page else ''}")
        print(f"older, with the section Http: exit code {code}: {' '.join(line.strip() for line in said)}")
        wrong = [step for step, (fetched, _) in list(steps.items())[1:] if fetched] + (["newer again: the page"] if steps["newer again"][1] != "hit" else [])
        wrong += [] if code == 78 and any("Http" in line for line in said) else ["older, with the section Http"]
        if options.save:
            version = subprocess.run([older, "--version"], capture_output=True, text=True).stdout.strip()
            saved.save("versions", newer, older=version, objects=len(PATHS), fetched={step: fetched for step, (fetched, _) in steps.items()}, refused={"exitCode": code, "said": said}, wrong=wrong)
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
