using System.Diagnostics;
using System.Globalization;
using System.Net;
using Breakwater.CacheStore;
using Breakwater.Laboratory.Client;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>
/// The demo itself: an embedded Stratum 1, the proxy as a child process with a temporary store, and four storms of VMs that replay a
/// recorded boot. Cold: the store is empty. Warm: at once again. Restart: after a SIGKILL, on the same store. Revision: a security
/// update has been published.
/// </summary>
internal sealed class DemoRun(DemoOptions options, DemoView view)
{
    // The store acknowledges what it holds about every 200 ms; a kill may cost the last of it. Three times that, and more, is durable.
    private static readonly TimeSpan s_durable = TimeSpan.FromSeconds(2);

    // The embedded Stratum 1 lets its manifest be fresh for 1 s; the rest is for a machine under load.
    private static readonly TimeSpan s_publicationSeen = TimeSpan.FromSeconds(60);

    // A boot is over when its window is, or after 20 s of silence (BootRecorderLimits.Silence); the proxy looks every 2 s, then maps what
    // it read to paths. The rest is for a machine under load.
    private static readonly TimeSpan s_learned = TimeSpan.FromSeconds(120);

    private readonly List<PhaseResult> _phases = [];
    private readonly List<string> _problems = [];

    /// <summary>Runs all phases.</summary>
    /// <exception cref="DemoFailedException">A phase could not be run: the message says why.</exception>
    public async Task<DemoReport> RunAsync(CancellationToken cancellationToken)
    {
        DemoRepository repository = DemoRepository.Load();
        DirectoryInfo store = Directory.CreateTempSubdirectory("breakwater-demo-");
        ProxyProcess? proxy = null;
        try
        {
            using EmbeddedStratum1 stratum1 = new(repository, options.RoundTrip);
            Dictionary<string, string> settings = Settings(store, stratum1);
            settings["WorkingSets__Guess"] = "false"; // each object that a VM needs is asked for once, and no other
            settings["WorkingSets__BootWindow"] = WindowOf(options.Vms).ToString("c", CultureInfo.InvariantCulture);
            proxy = await ProxyProcess.StartAsync(settings, cancellationToken);
            view.Begin(options, repository, stratum1, proxy, store.FullName);

            BootPlan first = repository.Boots[0];
            PhaseResult cold = await PhaseAsync("cold", "empty store", first, stratum1, proxy, cancellationToken);
            Expect(cold, cold.DistinctObjects, stratum1);
            long coldEnd = Stopwatch.GetTimestamp();
            Expect(await PhaseAsync("warm", "at once again", first, stratum1, proxy, cancellationToken), 0, stratum1);

            await view.WaitAsync("the store commits what it took", s_durable - Stopwatch.GetElapsedTime(coldEnd), cancellationToken);
            await proxy.KillAsync();
            await proxy.DisposeAsync();
            proxy = await ProxyProcess.StartAsync(settings, cancellationToken);
            Expect(await PhaseAsync("restart", "after a SIGKILL", first, stratum1, proxy, cancellationToken), 0, stratum1);

            await UntilLearnedAsync(store, proxy, cancellationToken);
            stratum1.ResetCounters();
            stratum1.Publish(2);
            await UntilSeenAsync(repository, proxy, cancellationToken);
            int prefetched = stratum1.ObjectRequestCount;
            PhaseResult revision =
                await PhaseAsync("revision", "an update is published", repository.Boots[1], stratum1, proxy, cancellationToken);
            _phases[^1] = revision with { PrefetchRequests = prefetched };
            Expect(revision, 0, stratum1);
            if (prefetched != repository.ObjectsNewInRevision2)
            {
                _problems.Add(
                    $"revision: {prefetched} objects were fetched ahead of the boots, {repository.ObjectsNewInRevision2} are new in it.");
            }

            return new DemoReport(options.Vms, options.RoundTrip.TotalMilliseconds, _problems.Count == 0, _problems, _phases);
        }
        finally
        {
            if (proxy is not null)
            {
                await proxy.DisposeAsync();
            }

            store.Delete(recursive: true);
        }
    }

    /// <summary>Beside what the demo needs: the shipped clusters are not probed, since the demo works without the Internet.</summary>
    internal static Dictionary<string, string> Settings(DirectoryInfo store, EmbeddedStratum1 stratum1) => new()
    {
        ["ReverseProxy__Clusters__stratum1__HealthCheck__Active__Enabled"] = "false",
        ["ReverseProxy__Clusters__egi__HealthCheck__Active__Enabled"] = "false",
        ["ReverseProxy__Clusters__osg__HealthCheck__Active__Enabled"] = "false",
        ["Proxy__Listen__0"] = "127.0.0.1:0",
        ["Admin__Listen"] = "127.0.0.1:0",
        ["Store__Path"] = store.FullName,
        ["Repositories__KeysDirectory"] = Path.Combine(AppContext.BaseDirectory, "demo", "keys"),
        ["ReverseProxy__Clusters__demo__Destinations__s1__Address"] = stratum1.Address,
        [$"Repositories__{DemoRepository.Fqrn}__Cluster"] = "demo",
    };

    /// <summary>No VM pauses here: a few are done long before this, and the demo need not wait for their silence.</summary>
    private static TimeSpan WindowOf(int vms) => TimeSpan.FromSeconds(Math.Min(10 + (vms / 20), 300));

    private async Task<PhaseResult> PhaseAsync(
        string name, string condition, BootPlan plan, EmbeddedStratum1 stratum1, ProxyProcess proxy, CancellationToken cancellationToken)
    {
        stratum1.ResetCounters();
        PhaseTally tally = new(plan);
        await view.PhaseAsync(name, condition, options.Vms, plan, tally, StormAsync(plan, tally, proxy.EndPoint, cancellationToken));
        PhaseResult result = PhaseResult.From(name, tally, stratum1.ObjectRequestCount);
        _phases.Add(result);
        _problems.AddRange(tally.Messages.Select(message => $"{name}: {message}"));
        if (proxy.HasExited)
        {
            throw new DemoFailedException($"The proxy ended by itself in phase {name}. It wrote:{Environment.NewLine}{proxy.LastLines}");
        }

        return result;
    }

    private async Task StormAsync(BootPlan plan, PhaseTally tally, IPEndPoint proxy, CancellationToken cancellationToken)
    {
        await using StallWatch watch = new();
        await Task.WhenAll(Enumerable.Range(0, options.Vms).Select(i => Task.Run(
            () => new VirtualMachine(plan, proxy, AddressOf(i), tally, watch).BootAsync(cancellationToken), cancellationToken)));
    }

    /// <summary>Each VM has an address of its own, as on a real network; only Linux takes all of 127/8 as this machine's.</summary>
    private static IPAddress? AddressOf(int vm) => OperatingSystem.IsLinux()
        ? new IPAddress([127, (byte)(1 + (vm >> 16)), (byte)(vm >> 8), (byte)vm])
        : null;

    /// <summary>Until the proxy has seen that a boot is over, and knows what it read.</summary>
    private async Task UntilLearnedAsync(DirectoryInfo store, ProxyProcess proxy, CancellationToken cancellationToken)
    {
        using var admin = new AdminClient(new BreakwaterSettings
        {
            Proxy = new ProxyOptions(),
            Access = new AccessOptions(),
            Store = new StoreOptions { Path = store.FullName },
            Admin = new AdminOptions { Listen = "127.0.0.1:0", TokenFile = Path.Combine(store.FullName, "admin.token") },
            Repositories = new Dictionary<string, RepositoryOptions>(),
        });
        long start = Stopwatch.GetTimestamp();
        while ((await admin.GetAsync<WorkingSetView[]>("working-sets", cancellationToken)).Length == 0)
        {
            if (Stopwatch.GetElapsedTime(start) > s_learned)
            {
                throw new DemoFailedException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"The proxy has not learned what the boots read within {s_learned.TotalSeconds:0} s. It "
                    + $"wrote:{Environment.NewLine}{proxy.LastLines}"));
            }

            await view.WaitAsync("the proxy sees that the boots are over, and learns what they read", TimeSpan.FromMilliseconds(500),
                cancellationToken);
        }
    }

    /// <summary>Asks for the manifest, as a mounted client does every now and then, until the update is out.</summary>
    private async Task UntilSeenAsync(DemoRepository repository, ProxyProcess proxy, CancellationToken cancellationToken)
    {
        BootRequest manifest = new(0, DemoRepository.ManifestPath, repository.Find(DemoRepository.ManifestPath, 2)!);
        PhaseTally unused = new(repository.Boots[1]);
        using VmConnection connection = new(proxy.EndPoint, null, unused);
        long start = Stopwatch.GetTimestamp();
        while (await connection.FetchAsync(manifest, 0, noCache: false) != Failure.None)
        {
            if (Stopwatch.GetElapsedTime(start) > s_publicationSeen)
            {
                throw new DemoFailedException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"The proxy did not serve the new manifest within {s_publicationSeen.TotalSeconds:0} s. It "
                    + $"wrote:{Environment.NewLine}{proxy.LastLines}"));
            }

            await view.WaitAsync("the proxy looks at the manifest again", TimeSpan.FromMilliseconds(200), cancellationToken);
        }
    }

    private void Expect(PhaseResult phase, int upstreamObjectRequests, EmbeddedStratum1 stratum1) =>
        _problems.AddRange(ProblemsOf(phase, options.Vms, upstreamObjectRequests, stratum1.RepeatedObjects));

    /// <summary>What is not as it must be in a phase, one sentence each.</summary>
    /// <param name="phase">What it came to.</param>
    /// <param name="vms">VMs that were to boot.</param>
    /// <param name="needed">Object requests that were to reach the Stratum 1.</param>
    /// <param name="repeated">Objects that were fetched more than once.</param>
    internal static IEnumerable<string> ProblemsOf(PhaseResult phase, int vms, int needed, IReadOnlyList<string> repeated)
    {
        if (phase.UpstreamObjectRequests != needed)
        {
            string example = repeated.Count == 0 ? "" : $" {repeated.Count} objects were fetched more than once, among them {repeated[0]}.";
            yield return
                $"{phase.Name}: {phase.UpstreamObjectRequests} object requests reached the Stratum 1, {needed} were needed.{example}";
        }

        if (phase.Boots != vms)
        {
            yield return $"{phase.Name}: {phase.Boots} of {vms} VMs booted.";
        }

        if (phase.FirstByteMaxMs >= 5000)
        {
            yield return string.Create(CultureInfo.InvariantCulture,
                $"{phase.Name}: a client waited {phase.FirstByteMaxMs:0} ms for a first byte; 5,000 ms are its patience.");
        }
    }
}
