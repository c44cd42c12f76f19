using System.Net;
using System.Security.Cryptography;
using Breakwater.Proxy.Cluster;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Cluster;

/// <summary>
/// Nodes that are one cache, in this process: real node ports with real TLS, each on a loopback address of its own, so that their ports are
/// known before they listen. Dispose it before the Stratum 1s.
/// </summary>
internal sealed class SiteOfNodes : IAsyncDisposable
{
    private const int Port = 3129;

    private readonly SiteAuthority _authority = new();
    private readonly byte[] _net = RandomNumberGenerator.GetBytes(2);
    private readonly ProxyUnderTest?[] _nodes;
    private readonly ScriptedUpstream[] _upstreams;
    private readonly Func<int, Dictionary<string, string?>> _settings;
    private readonly Func<int, TimeProvider?> _time;

    private SiteOfNodes(int count, ScriptedUpstream[] upstreams, Func<int, Dictionary<string, string?>>? settings,
        Func<int, TimeProvider?>? time)
    {
        _nodes = new ProxyUnderTest?[count];
        _upstreams = upstreams;
        _settings = settings ?? (_ => []);
        _time = time ?? (_ => null);
    }

    /// <summary>Its authority.</summary>
    public SiteAuthority Authority => _authority;

    /// <summary>The numbers of those that run.</summary>
    public IEnumerable<int> Running => Enumerable.Range(0, _nodes.Length).Where(i => _nodes[i] is not null);

    /// <summary>The nodes; one that was stopped is none.</summary>
    public ProxyUnderTest this[int node] => _nodes[node]!;

    /// <summary>Starts nodes <c>n0</c>, <c>n1</c>, … and waits until each sees all.</summary>
    /// <param name="count">How many are listed.</param>
    /// <param name="upstreams">Their Stratum 1s.</param>
    /// <param name="settings">A node's settings beside those of the cluster.</param>
    /// <param name="time">Their clock; null: the system's.</param>
    /// <param name="times">The clock of each; null: that of all.</param>
    /// <param name="running">How many of them are started, from the first on; null: all.</param>
    public static async Task<SiteOfNodes> StartAsync(int count, ScriptedUpstream[] upstreams,
        Func<int, Dictionary<string, string?>>? settings = null, TimeProvider? time = null, int? running = null,
        Func<int, TimeProvider?>? times = null)
    {
        var site = new SiteOfNodes(count, upstreams, settings, times ?? (_ => time));
        for (int i = 0; i < (running ?? count); i++)
        {
            await site.StartAsync(i);
        }

        await site.SeesAllAsync();
        return site;
    }

    /// <summary>Where a node's port is, whether it runs or not.</summary>
    public IPEndPoint NodePort(int node) => new(new IPAddress([127, (byte)(1 + (_net[0] % 250)), _net[1], (byte)(node + 1)]), Port);

    /// <summary>A node as the others see it.</summary>
    public YarpNodes Nodes(int node) => this[node].Services.GetRequiredService<YarpNodes>();

    /// <summary>Which node owns this, as node 0 sees it; it must be in the ring.</summary>
    public int OwnerOf(SyntheticObject item) => OwnerOf(Ring.KeyOf(item.Key));

    /// <inheritdoc cref="OwnerOf(SyntheticObject)"/>
    public int OwnerOf(ulong key) =>
        int.Parse(Nodes(Running.First()).View.Ring.Owner(key)!.Id[1..],
        System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>A view that is wrong until the next round of probes.</summary>
    public void TakeTheOtherForTheOwnerOfAll(int node)
    {
        YarpNodes nodes = Nodes(node);
        nodes.Replace([.. nodes.View.Known.Select(known =>
            known.IsSelf || known.Announcement is null ? known : known with { Announcement = known.Announcement with { Weight = 1e9 } })]);
    }

    /// <summary>Returns when each running node sees as many as run, or as many as said.</summary>
    public Task SeesAllAsync(int? members = null)
    {
        int expected = members ?? Running.Count();
        return Waiting.UntilAsync(() => Running.All(i => Nodes(i).View.Ring.Members.Count == expected));
    }

    /// <summary>Starts one.</summary>
    public async Task StartAsync(int node)
    {
        Dictionary<string, string?> settings = new()
        {
            ["Cluster:Name"] = $"n{node}",
            ["Cluster:Listen"] = NodePort(node).ToString(),
            ["Cluster:Certificate"] = _authority.Issue($"n{node}"),
            ["Cluster:TrustedCertificates"] = _authority.TrustedFile,
            ["Cluster:ProbeInterval"] = "00:00:00.1",

            // No test may depend on speed: a busy machine makes no node silent.
            ["Cluster:HeadTimeout"] = "00:00:20",
            ["Proxy:AnswerTimeout"] = "00:01:00",
            ["Proxy:FirstByteTimeout"] = "00:00:30",
            ["Proxy:FetchPatience"] = "00:01:00",
        };
        for (int i = 0; i < _nodes.Length; i++)
        {
            settings[$"Cluster:Nodes:{i}"] = $"https://{NodePort(i)}";
        }

        foreach ((string name, string? value) in _settings(node))
        {
            settings[name] = value;
        }

        _nodes[node] = await ProxyUnderTest.StartAsync(settings, _time(node), _upstreams);
    }

    /// <summary>Stops one; the others must find out by themselves.</summary>
    public async Task StopAsync(int node)
    {
        ProxyUnderTest stopped = _nodes[node]!;
        _nodes[node] = null;
        await stopped.DisposeAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (int node in Running.ToList())
        {
            await StopAsync(node);
        }

        _authority.Dispose();
    }
}
