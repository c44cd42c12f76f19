"""Machines of the lab: network namespaces on two bridges, one for clients and the Stratum 1, one for the nodes among themselves; root only, nothing outside is touched."""
import json, os, pathlib, shutil, signal, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# What deployment/publish.sh makes is compiled ahead, as packages are; without the variable it is what was built here.
PROXY = os.environ.get("BREAKWATER_LAB_PROXY", str(ROOT / "proxy/bin/Release/net10.0/breakwater.dll"))
SERVE = (["dotnet"] if PROXY.endswith(".dll") else []) + [PROXY, "serve"]
STORM = pathlib.Path(os.environ.get("BREAKWATER_LAB_STORM", ROOT / "perf/Storm/bin/Release/net10.0/breakwater-storm.dll"))
UPSTREAM = "10.77.0.100"
HOLD = pathlib.Path(__file__).resolve().parent / "hold.py"
FAKE = pathlib.Path(__file__).resolve().parent / "fake_node.py"


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True, **options).stdout


class Net:
    """with Net(nodes) as net: machines n1, n2, …, up (the Stratum 1) and vms. A partition is a port of the nodes' bridge that is down."""

    def __init__(self, nodes):
        self.nodes, self.prefix, self.processes = nodes, f"bw{os.getpid()}", []

    def __enter__(self):
        for needed in ("ip", "openssl"):
            if not shutil.which(needed):
                sys.exit(f"{needed} is missing: apt-get install iproute2 openssl")
        if os.geteuid() != 0:
            sys.exit("network namespaces need root")
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="breakwater-cluster."))
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
        for process in self.processes:
            process.wait()
        for name in self._names():
            for pid in subprocess.run(["ip", "netns", "pids", self.ns(name)], capture_output=True, text=True).stdout.split():
                os.kill(int(pid), signal.SIGKILL)
            subprocess.run(["ip", "netns", "del", self.ns(name)], capture_output=True)
        shutil.rmtree(self.work, ignore_errors=True)

    def ns(self, name):
        return f"{self.prefix}-{name}"

    def start(self, machine, *command, **options):
        """Starts a process on a machine; its standard error goes to a file of its name."""
        process = subprocess.Popen(["ip", "netns", "exec", self.ns(machine), *map(str, command)], text=True, **options)
        self.processes.append(process)
        return process

    def ask(self, machine, *command):
        return run("ip", "netns", "exec", self.ns(machine), *command)

    def cut(self, node):
        """The node sees no other node, and its clients and the Stratum 1 as before."""
        run("ip", "-n", self.ns("hub"), "link", "set", f"b{node}", "down")

    def heal(self, node):
        run("ip", "-n", self.ns("hub"), "link", "set", f"b{node}", "up")

    def certificate(self, name):
        pem = self.work / f"{name}.pem"
        if not pem.exists():
            key, request, made = self.work / f"{name}.key", self.work / f"{name}.csr", self.work / f"{name}.crt"
            run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={name}")
            run("openssl", "x509", "-req", "-in", request, "-CA", self.work / "ca.pem", "-CAkey", self.work / "ca.key", "-CAcreateserial", "-out", made, "-days", "30")
            pem.write_text(made.read_text() + key.read_text())
        return pem

    def _names(self):
        return ["hub", "up", "vms", *(f"n{i}" for i in range(1, self.nodes + 1))]

    def _make(self):
        for name in self._names():
            run("ip", "netns", "add", self.ns(name))
            run("ip", "-n", self.ns(name), "link", "set", "lo", "up")
        for bridge in ("clients", "nodes"):
            run("ip", "-n", self.ns("hub"), "link", "add", bridge, "type", "bridge")
            run("ip", "-n", self.ns("hub"), "link", "set", bridge, "up")
        self._plug("up", "eth0", "aup", "clients", f"{UPSTREAM}/24")
        self._plug("vms", "eth0", "avms", "clients", "10.77.0.200/24")
        run("ip", "-n", self.ns("vms"), "route", "add", "local", "10.101.0.0/16", "dev", "lo")
        run("ip", "-n", self.ns("up"), "route", "add", "10.101.0.0/16", "via", "10.77.0.200")
        for i in range(1, self.nodes + 1):
            self._plug(f"n{i}", "eth0", f"a{i}", "clients", f"10.77.0.{i}/24")
            self._plug(f"n{i}", "eth1", f"b{i}", "nodes", f"10.78.0.{i}/24")
            run("ip", "-n", self.ns(f"n{i}"), "route", "add", "10.101.0.0/16", "via", "10.77.0.200")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.work / "ca.key", "-out", self.work / "ca.pem",
            "-days", "30", "-subj", "/CN=lab")

    def _plug(self, machine, device, port, bridge, address):
        run("ip", "-n", self.ns("hub"), "link", "add", port, "type", "veth", "peer", "name", device, "netns", self.ns(machine))
        run("ip", "-n", self.ns("hub"), "link", "set", port, "master", bridge, "up")
        run("ip", "-n", self.ns(machine), "address", "add", address, "dev", device)
        run("ip", "-n", self.ns(machine), "link", "set", device, "up")


def machine_line():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return f"{cpu}, {os.cpu_count()} cores, {os.uname().sysname} {os.uname().release}; nodes, clients and Stratum 1 share them"
