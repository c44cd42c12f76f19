using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Cluster;

/// <summary>The site's other nodes, chosen by the ring of those that YARP's probes find alive. Thread-safe.</summary>
internal sealed class YarpNodes(NodeSelf self, ClusterOptions options, ProxyOptions proxy, NodeStrikes strikes, NodeCounters counters,
    NodeCertificates certificates, TimeProvider time) : ISiteNodes
{
    /// <summary>For this time after members came or went, an object's new owner asks the previous one before a Stratum 1.</summary>
    private static readonly TimeSpan s_moving = TimeSpan.FromHours(1);

    /// <summary>
    /// So many rounds of probes after a change the views of all are the same: each begins one in this time, and one may be under way.
    /// </summary>
    private const int RoundsUntilSettled = 2;

    private readonly NodeAnnouncement _self = self.Announcement;
    private volatile NodeView _view = new(self.Announcement, []);
    private readonly TaskCompletionSource _firstRound = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _changedAt = time.GetTimestamp();

    /// <summary>Complete when the first round of probes is over: before it, this node takes itself for the owner of all.</summary>
    public Task FirstRound => _firstRound.Task;

    /// <summary>What is known now.</summary>
    public NodeView View => _view;

    /// <summary>
    /// Makes them. What this node owned is the others' from the moment it leaves: what its clients ask for until they are gone is to stay
    /// where it will be looked for.
    /// </summary>
    public static YarpNodes Make(IServiceProvider services)
    {
        YarpNodes nodes = ActivatorUtilities.CreateInstance<YarpNodes>(services);
        services.GetRequiredService<NodeSelf>().Watch(() => nodes.Replace(nodes.View.Known));
        return nodes;
    }

    /// <summary>This node's port is about to open: it is no member before <see cref="NoteStarted"/>.</summary>
    public void NoteStarting() => self.NoteStarting();

    /// <summary>Its port is open.</summary>
    public void NoteStarted() => self.NoteStarted();

    /// <inheritdoc/>
    public TimeSpan HeadTimeout => options.HeadTimeout;

    /// <inheritdoc/>
    public string? Summary
    {
        get
        {
            NodeView view = _view;
            (long borrowed, _, long moved, _, long served, _) = counters.Totals;
            string[] amiss =
                [.. view.Known.Where(n => n.Standing != NodeStanding.Alive || (!n.IsSelf && strikes.IsOut(n.Announcement!.Id)))
                    .Select(n => $"{n.Announcement?.Id ?? n.Address} {(n.Standing == NodeStanding.Alive ? "skipped" : n.Standing)}")];
            return string.Create(CultureInfo.InvariantCulture,
                $"{_self.Id} of {view.Known.Count} nodes, {view.Ring.Members.Count} in the ring"
                + $"{(amiss.Length == 0 ? "" : $" ({string.Join(", ", amiss)})")}; {borrowed:N0} objects from other nodes, "
                + $"{moved:N0} moved here, {served:N0} requests served for them");
        }
    }

    /// <summary>Is that node skipped because it failed real requests?</summary>
    public bool IsSkipped(string id) => strikes.IsOut(id);

    /// <inheritdoc/>
    public IReadOnlyList<Stratum1> Before(in ObjectKey key) => Before(Ring.KeyOf(key));

    /// <inheritdoc/>
    public IReadOnlyList<Stratum1> Before(string name) => Before(Ring.KeyOf(name));

    /// <inheritdoc/>
    public IReadOnlyList<Stratum1> Holders(in ObjectKey key)
    {
        NodeView view = _view;
        if (view.Others.Count == 0)
        {
            return [];
        }

        if (proxy.Offline)
        {
            // Nobody else can be asked, and a seed is on the node to which it was brought.
            return [.. view.Others.Where(other => !strikes.IsOut(other.Key)).Select(other => other.Value)];
        }

        TimeSpan since = time.GetElapsedTime(Volatile.Read(ref _changedAt));
        return since < s_moving && view.ServerOf(NodeCandidates.Holder(view.Ring, Ring.KeyOf(key), _self.Id,
            isSettled: since >= options.ProbeInterval * RoundsUntilSettled, strikes.IsOut)) is { } holder
            ? [holder] : [];
    }

    /// <inheritdoc/>
    public int ShareOf(int limit)
    {
        int live = Math.Max(1, _view.Ring.Members.Count);
        return (limit + live - 1) / live;
    }

    /// <inheritdoc/>
    public void Sign(HttpRequestMessage request) =>
        request.Headers.TryAddWithoutValidation(NodeAnnouncement.Field, $"id={_self.Id};site={_self.Site}");

    /// <inheritdoc/>
    public void Configure(SocketsHttpHandler handler)
    {
        handler.UseProxy = false;
        handler.ConnectTimeout = proxy.ConnectTimeout * 2;
        handler.ConnectCallback = ConnectAsync;

        // More are never needed: a fetch waits in NodeWay's line before it opens a connection.
        handler.MaxConnectionsPerServer = 2 * NodeWay.MaxBorrowed;
        handler.PooledConnectionIdleTimeout = TimeSpan.FromMinutes(2);
        handler.SslOptions = new SslClientAuthenticationOptions
        {
            LocalCertificateSelectionCallback = (_, _, _, _, _) => certificates.Own,

            // The certificate says which node it is; the node's address may change.
            RemoteCertificateValidationCallback = (_, certificate, chain, _) => certificates.ProblemOf(certificate, chain) is null,
        };
    }

    /// <inheritdoc/>
    public void NoteAnswer(Stratum1 node)
    {
        if (IdOf(node) is { } id)
        {
            strikes.Answered(id);
        }
    }

    /// <inheritdoc/>
    public void NoteFailure(Stratum1 node, FailureKind kind)
    {
        if (IdOf(node) is not { } id || kind is FailureKind.NotFound or FailureKind.Refused)
        {
            return;
        }

        counters.Strike(id, kind.ToString().ToLowerInvariant());
        if (kind is FailureKind.Connect or FailureKind.Lookup)
        {
            strikes.Refused(id);
        }
        else
        {
            strikes.Strike(id);
        }
    }

    /// <inheritdoc/>
    public void NoteBorrowed(Stratum1 node, long bytes, bool isMoved) =>
        counters.Borrowed(IdOf(node) ?? node.Authority, bytes, isMoved);

    /// <inheritdoc/>
    public void NoteHedge() => counters.Hedge();

    /// <summary>The probes have found out more.</summary>
    public void Replace(IReadOnlyList<KnownNode> known)
    {
        NodeView before = _view;
        var after = new NodeView(self.IsMember ? _self : null, known);
        _view = after;
        _firstRound.TrySetResult();
        if (!before.Ring.Members.SequenceEqual(after.Ring.Members))
        {
            Volatile.Write(ref _changedAt, time.GetTimestamp());
        }
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        ReusedConnections.NoteOpened(context.InitialRequestMessage);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private Stratum1[] Before(ulong key)
    {
        NodeView view = _view;
        if (view.Others.Count == 0)
        {
            return [];
        }

        (RingMember? owner, RingMember? second) = NodeCandidates.Before(view.Ring, key, _self.Id, strikes.IsOut);
        return (view.ServerOf(owner), view.ServerOf(second)) switch
        {
            (null, _) => [],
            ({ } first, null) => [first],
            ({ } first, { } other) => [first, other],
        };
    }

    private string? IdOf(Stratum1 node) =>
        _view.Known.FirstOrDefault(n => n.Server.Destination == node.Destination)?.Announcement?.Id;
}
