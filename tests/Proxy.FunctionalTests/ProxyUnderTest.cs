using System.Globalization;
using System.Net;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.FunctionalTests.TestSupport;
using Breakwater.Proxy.Host;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.Proxy.FunctionalTests;

/// <summary>
/// The real proxy (the composition of <c>serve</c>) in this process: real Kestrel on loopback, a real store in a temporary directory,
/// these Stratum 1s in this order for <c>*.example.org</c>.
/// </summary>
internal sealed class ProxyUnderTest : IAsyncDisposable
{
    /// <summary>Longer than any test: for tests whose upstream waits at a gate, and for those that no busy machine may disturb.</summary>
    public static readonly IReadOnlyDictionary<string, string?> Patient = new Dictionary<string, string?>
    {
        ["Proxy:ConnectTimeout"] = "00:01:00",
        ["Proxy:FirstByteTimeout"] = "00:01:00",
        ["Proxy:AnswerTimeout"] = "00:01:00",
        ["Proxy:FetchPatience"] = "00:01:00",
    };

    private readonly TemporaryDirectory _directory = new();
    private readonly ChangeableSettings _settings = new();
    private readonly IConfigurationRoot _configuration;
    private readonly TimeProvider? _time;
    private StoreDisk _disk = new();
    private FasterObjectStore? _store;
    private bool _endsBusy;
    private WebApplication? _app;

    private ProxyUnderTest(IEnumerable<string> stratum1s, IReadOnlyDictionary<string, string?>? settings, TimeProvider? time)
    {
        Dictionary<string, string?> all = new()
        {
            ["Proxy:Listen:0"] = "127.0.0.1:0",
            ["Admin:Listen"] = "127.0.0.1:0",
            ["Store:Path"] = _directory.Combine("store"),
            ["Repositories:*.example.org:Cluster"] = "test",
            ["Logging:LogLevel:Default"] = "Error",
            ["Store:QuotaBytes"] = "268435456",

            // What is asked upstream is counted to the request; GuessTests turn guesses on.
            ["WorkingSets:Guess"] = "false",

            // Four times what is shipped and more: the pause of a busy machine is not the silence of a Stratum 1.
            ["Proxy:ConnectTimeout"] = "00:00:10",
            ["Proxy:FirstByteTimeout"] = "00:00:06",
            ["Proxy:AnswerTimeout"] = "00:00:15",
        };
        foreach ((int i, string address) in stratum1s.Index())
        {
            all[string.Create(CultureInfo.InvariantCulture, $"ReverseProxy:Clusters:test:Destinations:s{i + 1}:Address")] = address;
        }

        foreach ((string name, string? value) in settings ?? new Dictionary<string, string?>())
        {
            all[name] = value;
        }

        _settings.Put(all);
        _configuration = new ConfigurationBuilder().Add(_settings).Build();
        _time = time;
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint { get; private set; } = null!;

    /// <summary>Where it listens for TLS; null: nowhere.</summary>
    public IPEndPoint? TlsEndPoint { get; private set; }

    /// <summary>Its store.</summary>
    public FasterObjectStore Store => _store!;

    /// <summary>Its services.</summary>
    public IServiceProvider Services => _app!.Services;

    /// <summary>Starts a proxy in front of these Stratum 1s.</summary>
    public static Task<ProxyUnderTest> StartAsync(params IReadOnlyList<ScriptedUpstream> stratum1s) => StartAsync(null, null, stratum1s);

    /// <summary>Starts a proxy with settings of its own.</summary>
    public static async Task<ProxyUnderTest> StartAsync(
        IReadOnlyDictionary<string, string?>? settings, TimeProvider? time, params IReadOnlyList<ScriptedUpstream> stratum1s)
    {
        ProxyUnderTest proxy = new(stratum1s.Select(s => s.Address), settings, time);
        await proxy.StartAsync();
        return proxy;
    }

    /// <summary>Starts a proxy whose store is on a disk that can fail.</summary>
    public static async Task<ProxyUnderTest> StartOnAsync(
        FaultyDisk disk, IReadOnlyDictionary<string, string?>? settings, params IReadOnlyList<ScriptedUpstream> stratum1s)
    {
        ProxyUnderTest proxy = new(stratum1s.Select(s => s.Address), settings, null) { _disk = disk };
        await proxy.StartAsync();
        return proxy;
    }

    /// <summary>Stops it in order and starts it again on the same store.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    /// <summary>Changes settings, as an edit of the file does; null takes one out. Returns when all who follow have them.</summary>
    public void Change(IReadOnlyDictionary<string, string?> changes) => _settings.Change(changes);

    /// <summary>Stops it in order and starts it again on the same store, with changed settings; null takes one out.</summary>
    public async Task RestartAsync(IReadOnlyDictionary<string, string?> changes)
    {
        await StopAsync();
        _settings.Change(changes);
        await StartAsync();
    }

    /// <summary>One GET on a connection of its own.</summary>
    public Task<RawResponse> GetAsync(string target, params string[] headers) => RawHttpClient.GetOnceAsync(EndPoint, target, headers);

    /// <summary>A connection to the proxy.</summary>
    public Task<RawHttpClient> ConnectAsync() => RawHttpClient.ConnectAsync(EndPoint);

    /// <summary>
    /// What <c>/metrics</c> says: the sum of a metric's lines that have these labels, such as <c>kind="broken"</c>; 0 when there is none.
    /// </summary>
    public async Task<double> MetricAsync(string name, params string[] labels)
    {
        using var http = new HttpClient { Timeout = Waiting.Hang };
        string page = await http.GetStringAsync(new Uri(Services.GetRequiredService<AdminServer>().Address!, "/metrics"));
        return page.Split('\n')
            .Where(line => line.StartsWith(name + "{", StringComparison.Ordinal) || line.StartsWith(name + " ", StringComparison.Ordinal))
            .Where(line => Array.TrueForAll(labels, label => line.Contains(label, StringComparison.Ordinal)))
            .Sum(line =>
            double.Parse(line[(line.IndexOf('}', StringComparison.Ordinal) + 1)..].Replace(name, "", StringComparison.Ordinal)
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture));
    }

    /// <summary>Returns when it has counted so many requests: an answer may be at its client before it is counted.</summary>
    public Task CountedAsync(int requests) =>
        Waiting.UntilAsync(() => Services.GetRequiredService<RequestRecorder>().TotalOf(static _ => true).Requests >= requests);

    /// <summary>The bytes that the store holds for an object; null when it does not hold it.</summary>
    public async Task<byte[]?> ReadStoredAsync(ObjectKey key)
    {
        if (!Store.TryOpen(key, out ObjectLease? lease))
        {
            return null;
        }

        using (lease)
        {
            byte[] bytes = new byte[lease.Length];
            for (int offset = 0; offset < bytes.Length;)
            {
                offset += await lease.ReadAsync(offset, bytes.AsMemory(offset));
            }

            return bytes;
        }
    }

    /// <summary>
    /// The test leaves it busy on purpose (an upstream that never answers): what it holds is looked at when it has stopped, not before.
    /// </summary>
    public void EndsBusy() => _endsBusy = true;

    /// <summary>Stops it and fails when something that it took was not given back.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_app is null)
        {
            _directory.Dispose(); // a restart did not come about, which is what the test tells
            return;
        }

        string? held = _endsBusy ? null : await Rest.HeldAsync(Services, Store);
        await StopAsync();
        held ??= await Rest.HeldFilesAsync(_configuration["Store:Path"]!);
        _directory.Dispose();
        if (held is not null)
        {
            throw new NotAtRestException(held);
        }
    }

    private async Task StartAsync()
    {
        BreakwaterSettings settings = BreakwaterSettings.Load(_configuration);
        await Waiting.UntilAsync(async () => (_store = await TryOpenAsync(settings.Store)) is not null, what: "the store's lock");
        _app = ProxyServer.Build(_configuration, settings, _store!, _time);
        await _app.StartAsync();
        ICollection<string> addresses = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        ILookup<string, Uri> byScheme = addresses.Select(address => new Uri(address)).ToLookup(address => address.Scheme);
        EndPoint = IPEndPoint.Parse(byScheme["http"].Single().Authority);
        TlsEndPoint = byScheme["https"].Select(address => IPEndPoint.Parse(address.Authority)).SingleOrDefault();
    }

    /// <summary>
    /// Null: it is locked. A process that another test starts shares what this one has open until it runs a program of its own.
    /// </summary>
    private async Task<FasterObjectStore?> TryOpenAsync(StoreOptions options)
    {
        try
        {
            return await FasterObjectStore.OpenAsync(options, _disk, TimeProvider.System, NullLogger.Instance, CancellationToken.None);
        }
        catch (StoreInUseException)
        {
            return null;
        }
    }

    private async Task StopAsync()
    {
        await Interlocked.Exchange(ref _app, null)!.DisposeAsync().AsTask().InTimeAsync(what: "the proxy's end");
        await _store!.DisposeAsync().AsTask().InTimeAsync(what: "the store's end");
    }
}
