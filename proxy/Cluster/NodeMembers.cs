using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// Gives YARP the cluster of nodes: those of the list, and the addresses of the names, which are looked up again and again. YARP's own
/// resolver would be one for all clusters, and a name that does not resolve would stop the start. Thread-safe.
/// </summary>
internal sealed partial class NodeMembers : BackgroundService
{
    private static readonly TimeSpan s_refresh = TimeSpan.FromSeconds(10);

    private readonly ClusterOptions _options;
    private readonly IHostNames _names;
    private readonly TimeProvider _time;
    private readonly ILogger<NodeMembers> _log;
    private readonly Uri[] _listed;
    private readonly Uri[] _named;
    private readonly Dictionary<Uri, string[]> _resolved = [];  // the background's own flow only; the last good answer of each name

    public NodeMembers(ClusterOptions options, IHostNames names, TimeProvider time, ILogger<NodeMembers> log)
    {
        _options = options;
        _names = names;
        _time = time;
        _log = log;
        Uri[] nodes = [.. options.Nodes.Select(node => new Uri(node))];
        _listed = [.. nodes.Where(node => node.Scheme != ClusterCheck.DnsScheme)];
        _named = [.. nodes.Where(node => node.Scheme == ClusterCheck.DnsScheme)];
        Config = new InMemoryConfigProvider([], [ToCluster([])]);
    }

    /// <summary>What YARP reads.</summary>
    public InMemoryConfigProvider Config { get; }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        string before = "";
        while (_named.Length > 0 && !stoppingToken.IsCancellationRequested)
        {
            foreach (Uri name in _named)
            {
                await ResolveAsync(name, stoppingToken);
            }

            string[] addresses =
                [.. _resolved.Values.SelectMany(a => a).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
            string now = string.Join(' ', addresses);
            if (now != before)
            {
                before = now;
                Config.Update([], [ToCluster(addresses)]);
            }

            await Task.Delay(s_refresh, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ResolveAsync(Uri name, CancellationToken cancellationToken)
    {
        try
        {
            IPAddress[] addresses = await _names.ResolveAsync(name.IdnHost, cancellationToken);
            if (addresses.Length > 0)
            {
                _resolved[name] = [.. addresses.Select(address => $"https://{new IPEndPoint(address, name.Port)}")];
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            LogUnresolved(_log, name.IdnHost, e.Message);
        }
    }

    private ClusterConfig ToCluster(string[] addresses) => new()
    {
        ClusterId = ClusterCheck.ReservedCluster,
        Destinations = _listed.Select(node => node.GetLeftPart(UriPartial.Authority)).Concat(addresses)
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .ToDictionary(address => address, address => new DestinationConfig { Address = address }),
        HttpRequest = new ForwarderRequestConfig { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact },
        HealthCheck = new HealthCheckConfig
        {
            Active = new ActiveHealthCheckConfig
            {
                Enabled = true,
                Interval = _options.ProbeInterval,
                Timeout = _options.ProbeTimeout,
                Policy = NodeProbes.PolicyName,
                Path = "/node/live",
            },
        },
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "The nodes' name {Name} does not resolve, its last addresses stay: {Why}")]
    private static partial void LogUnresolved(ILogger log, string name, string why);
}
