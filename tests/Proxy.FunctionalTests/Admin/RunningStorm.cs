using System.Net;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Admin;

/// <summary>
/// A storm that goes on until it is disposed: the demo's repository on an embedded Stratum 1, the real proxy, and VMs that boot again, each
/// time as a new machine with an address of its own, as soon as they have booted.
/// </summary>
internal sealed class RunningStorm : IAsyncDisposable
{
    private static readonly TimeSpan s_roundTrip = TimeSpan.FromMilliseconds(40);

    private readonly CancellationTokenSource _stop = new();
    private readonly TemporaryDirectory _directory = new();
    private readonly EmbeddedStratum1 _stratum1;
    private readonly StallWatch _watch = new();
    private Task _vms = Task.CompletedTask;
    private int _lastVm;

    private RunningStorm(EmbeddedStratum1 stratum1) => _stratum1 = stratum1;

    /// <summary>The proxy.</summary>
    public ProxyUnderTest Proxy { get; private set; } = null!;

    /// <summary>Base address of its admin port.</summary>
    public Uri AdminAddress => Proxy.Services.GetRequiredService<AdminServer>().Address!;

    /// <summary>Its admin token.</summary>
    public string Token => AdminToken.Read(_directory.Combine("admin.token"));

    /// <summary>What the VMs saw.</summary>
    public PhaseTally Tally { get; private set; } = null!;

    /// <summary>Starts a Stratum 1, the proxy and this many VMs.</summary>
    public static async Task<RunningStorm> StartAsync(int vms)
    {
        DemoRepository repository = DemoRepository.Load();
        var storm = new RunningStorm(new EmbeddedStratum1(repository, s_roundTrip));
        storm.Proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>
            {
                ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = storm._stratum1.Address,
                ["ReverseProxy:Clusters:test:Destinations:s2:Address"] = "http://s2.example.org/",
                ["Repositories:KeysDirectory"] = Path.Combine(AppContext.BaseDirectory, "demo", "keys"),
                ["Admin:TokenFile"] = storm._directory.Combine("admin.token"),
            },
            null);
        BootPlan plan = repository.Boots[0];
        storm.Tally = new PhaseTally(plan);
        storm._vms = Task.WhenAll(Enumerable.Range(0, vms).Select(_ => Task.Run(() => storm.BootAgainAndAgainAsync(plan))));
        return storm;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _vms;
        await _watch.DisposeAsync();
        await Proxy.DisposeAsync();
        _stratum1.Dispose();
        _directory.Dispose();
        _stop.Dispose();
    }

    private async Task BootAgainAndAgainAsync(BootPlan plan)
    {
        while (!_stop.IsCancellationRequested)
        {
            int vm = Interlocked.Increment(ref _lastVm);
            IPAddress? address = OperatingSystem.IsLinux() ? new IPAddress([127, 9, (byte)(vm >> 8), (byte)vm]) : null;
            try
            {
                await new VirtualMachine(plan, Proxy.EndPoint, address, Tally, _watch).BootAsync(_stop.Token);
                await Task.Delay(TimeSpan.FromSeconds(1), _stop.Token);
            }
            catch (OperationCanceledException)
            {
                // The storm is over.
            }
        }
    }
}
