"""What the scripts here and in Faults share: an emulated Stratum 1 and the proxy on loopback, in a temporary directory, ended with the block."""
import http.client, json, os, pathlib, platform, shutil, socket, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROXY = ROOT / "proxy/bin/Release/net10.0/breakwater.dll"
STORM = ROOT / "perf/Storm/bin/Release/net10.0/breakwater-storm.dll"
MACHINE = f"{os.cpu_count()} cores, {platform.system()} {platform.release()}"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Lab:
    """with Lab() as lab: …"""

    def __enter__(self):
        for built in (PROXY, STORM):
            if not built.exists():
                sys.exit(f"{built} is missing; build first: dotnet build -c Release proxy && dotnet build -c Release perf/Storm")
        self.work, self.processes = pathlib.Path(tempfile.mkdtemp(prefix="breakwater-lab.")), []
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.work, ignore_errors=True)

    def start(self, *command, **options):
        process = subprocess.Popen([str(c) for c in command], stdout=options.pop("stdout", subprocess.DEVNULL), stderr=options.pop("stderr", subprocess.DEVNULL), text=True, **options)
        self.processes.append(process)
        return process

    def upstream(self, *arguments):
        """Gives its port."""
        port = free_port()
        self.start("dotnet", STORM, "upstream", "--port", port, *arguments, stdout=subprocess.PIPE).stdout.readline()
        return port

    def breakwater(self, upstreams, repository, name="store", **settings):
        """Starts the proxy; gives the process and its port. Settings by their environment variable. `environment` has them for commands afterwards."""
        port = free_port()
        self.environment = environment = os.environ | {
            "Proxy__Listen__0": f"127.0.0.1:{port}", "Admin__Listen": "127.0.0.1:0", "Store__Path": str(self.work / name), "WorkingSets__Learn": "false",
            f"Repositories__{repository}__Cluster": "test"} | settings
        for i, upstream in enumerate(upstreams):
            environment[f"ReverseProxy__Clusters__test__Destinations__s{i + 1}__Address"] = f"http://127.0.0.1:{upstream}/"
        for cluster in ("stratum1", "egi", "osg"):
            environment[f"ReverseProxy__Clusters__{cluster}__HealthCheck__Active__Enabled"] = "false"
        return self.start("dotnet", PROXY, "serve", env=environment, cwd=self.work), port

    def command(self, *arguments, **options):
        """Begins a command of the proxy that was started last."""
        return subprocess.Popen(["dotnet", str(PROXY), *map(str, arguments)], env=self.environment, cwd=self.work, **({"stdout": subprocess.DEVNULL, "text": True} | options))

    def learned(self, repository, name, seconds):
        """What boots taught, as `profile export` writes it, as soon as it is there; None: not within that time."""
        for _ in range(seconds):
            command = self.command("profile", "export", repository, name, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            text, _ = command.communicate()
            if command.returncode == 0:
                return text
            time.sleep(1)
        return None

    def teach(self, repository, profile):
        """Hands in what `learned` gave."""
        (self.work / "profile.json").write_text(profile)
        assert self.command("profile", "import", repository, "known", self.work / "profile.json").wait(60) == 0

    def hot(self, trace, port, upstream, seconds, connections, rate=0.0):
        """A load of hits; its result."""
        return storm("hot", "--trace", trace, "--target", f"127.0.0.1:{port}", "--host", f"127.0.0.1:{upstream}", "--connections", connections, "--seconds", seconds, "--rate", rate)


def storm(*arguments):
    """Runs the load generator; its result."""
    return json.loads(subprocess.run(["dotnet", str(STORM), *map(str, arguments)], check=True, capture_output=True, text=True).stdout)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def get(port, path):
    """Gives status and body."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    client.request("GET", path)
    answer = client.getresponse()
    body = answer.read()
    client.close()
    return answer.status, body


def ready(port, path, seconds=60):
    """Waits until the server gives that path."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if get(port, path)[0] == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        if time.monotonic() > deadline:
            sys.exit(f"port {port} does not serve {path}")
        time.sleep(0.3)


def warm(port, paths):
    """Asks for each path; gives the bytes that came."""
    total, client = 0, http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for path in paths:
        client.request("GET", path)
        answer = client.getresponse()
        total += len(answer.read())
        assert answer.status == 200, (path, answer.status)
    client.close()
    return total


def traffic_server_root(root):
    """Makes the folders of an Apache Traffic Server of its own, with Debian's settings; gives the path of its runroot.yaml."""
    root = pathlib.Path(root)
    for name in ("etc", "run", "log", "cache"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for file in pathlib.Path("/etc/trafficserver").iterdir():
        if file.is_file():
            shutil.copy(file, root / "etc")
    runroot = root / "runroot.yaml"
    runroot.write_text(f"""prefix: /usr
exec_prefix: /usr
bindir: /usr/bin
sbindir: /usr/sbin
sysconfdir: {root}/etc
datadir: {root}/cache
includedir: /usr/include
libdir: /usr/lib/trafficserver
libexecdir: /usr/lib/trafficserver/modules
localstatedir: {root}
runtimedir: {root}/run
logdir: {root}/log
cachedir: {root}/cache
""")
    return str(runroot)
