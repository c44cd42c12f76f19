using System.Net;
using System.Net.Sockets;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// YARP's policy for the nodes: from what each answers to a probe the view is made anew. YARP ends one round of probes before it begins
/// the next, so that one hung node makes all be seen late: real requests skip it by their strikes meanwhile.
/// </summary>
internal sealed partial class NodeProbes(YarpNodes nodes, NodeSelf self, ClusterOptions options, NodeStrikes strikes, PoolLateness lateness,
    Func<NodeSync> sync, TimeProvider time, ILogger<NodeProbes> log) : IActiveHealthCheckPolicy
{
    /// <summary>The policy's name in YARP's settings.</summary>
    public const string PolicyName = "BreakwaterNodes";

    private readonly Lock _gate = new();
    private Dictionary<string, Record> _records = new(StringComparer.Ordinal);   // guarded by _gate
    private string _told = "";                                                   // guarded by _gate

    /// <inheritdoc/>
    public string Name => PolicyName;

    /// <inheritdoc/>
    public void ProbingCompleted(ClusterState cluster, IReadOnlyList<DestinationProbingResult> probingResults)
    {
        if (cluster.Model.HttpClient is not { } client)
        {
            return;
        }

        // A round out of turn may be under way beside an ordinary one.
        lock (_gate)
        {
            CompleteLocked(cluster, client, probingResults);
        }
    }

    private void CompleteLocked(ClusterState cluster, HttpMessageInvoker client, IReadOnlyList<DestinationProbingResult> probingResults)
    {
        bool wasLate = lateness.WasLate(options.ProbeTimeout + options.ProbeInterval);
        var records = new Dictionary<string, Record>(StringComparer.Ordinal);
        foreach (DestinationProbingResult result in probingResults.OrderBy(r => r.Destination.DestinationId, StringComparer.Ordinal))
        {
            Record record = _records.GetValueOrDefault(result.Destination.DestinationId)
                ?? new Record(new Stratum1(cluster, result.Destination, client));
            records[result.Destination.DestinationId] = record;
            Judge(record, result, wasLate);
        }

        _records = records;
        HashSet<string> ids = new(StringComparer.Ordinal);
        KnownNode[] known = [.. records.Values.Select(record => ToKnown(record, ids))];
        nodes.Replace(known);
        strikes.Keep(records.Values.Select(r => r.Announcement?.Id ?? "").ToHashSet(StringComparer.Ordinal));
        Tell(known);
        sync().Look(known);
    }

    private void Judge(Record record, DestinationProbingResult result, bool wasLate)
    {
        if (result.Response is not { } response)
        {
            bool isRefused = IsRefused(result.Exception);
            if (wasLate && !isRefused && record.Standing == NodeStanding.Alive)
            {
                return;
            }

            record.Failures++;
            record.Problem = ConnectFailures.Sentence(result.Exception ?? new TimeoutException("no answer in time"));
            if (isRefused || record.Failures >= options.ProbeFailures || record.Standing is NodeStanding.Leaving)
            {
                record.Standing = NodeStanding.Dead;
            }

            return;
        }

        string? before = record.Announcement?.Instance;
        string? field = response.Headers.TryGetValues(NodeAnnouncement.Field, out IEnumerable<string>? values) ? values.First() : null;
        record.AnsweredAt = time.GetTimestamp();
        if (!NodeAnnouncement.TryParse(field, out NodeAnnouncement? announcement))
        {
            (record.Standing, record.Problem) = (NodeStanding.Foreign, $"what answers there is no node: {(int)response.StatusCode}");
            return;
        }

        record.Announcement = announcement;
        if (record.Failures > 0 || before != announcement.Instance)
        {
            // It was away, and is back: what it failed before counts no more.
            strikes.Answered(announcement.Id);
        }

        record.Failures = 0;
        (record.Standing, record.Problem) =
            announcement.Site != options.Site ? (NodeStanding.Foreign, $"it is a node of site '{announcement.Site}'")
            : announcement.Protocol != NodeAnnouncement.CurrentProtocol
                ? (NodeStanding.Foreign, $"it speaks version {announcement.Protocol} of the nodes' protocol, this one "
                + $"{NodeAnnouncement.CurrentProtocol}")
            : response.StatusCode == HttpStatusCode.ServiceUnavailable ? (NodeStanding.Leaving, "it is about to stop, or was told to leave")
            : response.IsSuccessStatusCode ? (NodeStanding.Alive, null)
            : (NodeStanding.Foreign, $"it answered {(int)response.StatusCode}");
    }

    /// <summary>Its machine is there and nobody listens: that is certain at once, however late this process may be itself.</summary>
    private static bool IsRefused(Exception? failure)
    {
        for (Exception? e = failure; e is not null; e = e.InnerException)
        {
            if (e is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
            {
                return true;
            }
        }

        return false;
    }

    private KnownNode ToKnown(Record record, HashSet<string> ids)
    {
        NodeAnnouncement? announcement = record.Announcement;
        bool isSelf = announcement?.Instance == self.Announcement.Instance;
        bool isTwice = record.Standing == NodeStanding.Alive && !isSelf
            && (announcement!.Id == self.Id || !ids.Add(announcement.Id));
        return new KnownNode(
            record.Server.Authority,
            isTwice ? NodeStanding.Duplicate : record.Standing,
            isSelf,
            announcement,
            isTwice ? $"its id '{announcement!.Id}' is {(announcement.Id == self.Id ? "this node's" : "another node's")}" : record.Problem,
            record.AnsweredAt,
            record.Server);
    }

    /// <summary>Changes are said once.</summary>
    private void Tell(KnownNode[] known)
    {
        string now = string.Join(", ", known.Where(n => !n.IsSelf).Select(n => $"{n.Announcement?.Id ?? n.Address} {n.Standing}"));
        if (now != _told)
        {
            _told = now;
            LogNodes(log, nodes.View.Ring.Members.Count, now);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The ring has {Count} nodes; the others as seen from here: {Nodes}")]
    private static partial void LogNodes(ILogger log, int count, string nodes);

    /// <summary>A listed node between rounds.</summary>
    private sealed class Record(Stratum1 server)
    {
        public Stratum1 Server => server;

        public NodeStanding Standing { get; set; } = NodeStanding.NotSeenYet;

        public NodeAnnouncement? Announcement { get; set; }

        public string? Problem { get; set; }

        public int Failures { get; set; }

        public long AnsweredAt { get; set; }
    }
}
