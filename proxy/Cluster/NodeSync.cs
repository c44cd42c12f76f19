using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// Looks at what other nodes offer when its hash has changed. A higher verified revision is a reason to check at once, first there: so a
/// revision that came to one side of a partition is on both as soon as it heals, and what a seed brought to one node is on all. Nothing is
/// believed: each node judges by its own keys, and never goes back. Thread-safe.
/// </summary>
internal sealed partial class NodeSync(SignedDocuments documents, RepositoryRoutes routes, NodeLearning learning, ISiteNodes site,
    ProxyOptions proxy, IHostApplicationLifetime lifetime, ILogger<NodeSync> log)
{
    private const int MaxOfferBytes = 4 << 20;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, string> _seen = new(StringComparer.Ordinal);   // state's hash by instance
    private readonly ConcurrentDictionary<string, byte> _asking = new(StringComparer.Ordinal);   // by instance

    /// <summary>A round of probes is over.</summary>
    public void Look(IReadOnlyList<KnownNode> known)
    {
        var instances = known.Select(n => n.Announcement?.Instance ?? "").ToHashSet(StringComparer.Ordinal);
        learning.Keep(instances);
        foreach (string gone in _seen.Keys.Where(instance => !instances.Contains(instance)))
        {
            _seen.TryRemove(gone, out _);
        }

        foreach (KnownNode node in known.Where(n => !n.IsSelf && n.Standing is NodeStanding.Alive or NodeStanding.Leaving))
        {
            NodeAnnouncement said = node.Announcement!;
            if (said.State.Length > 0 && _seen.GetValueOrDefault(said.Instance) != said.State && _asking.TryAdd(said.Instance, 0))
            {
                _ = Task.Run(() => TakeAsync(node, said));
            }
        }
    }

    private async Task TakeAsync(KnownNode node, NodeAnnouncement said)
    {
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStopping);
            patience.CancelAfter(s_patience);
            NodeOffer offer = Known(await ReadAsync(node.Server, patience.Token));
            SortedDictionary<Fqrn, ulong> mine = documents.VerifiedRevisions();
            List<Task> checks = [];
            foreach ((Fqrn fqrn, ulong revision) in offer.Repositories)
            {
                // What nobody has asked for here is left alone, but where no Stratum 1 could be asked for it later.
                if ((mine.TryGetValue(fqrn, out ulong own) ? own < revision : proxy.Offline)
                    && routes.TryFind(fqrn, out RepositoryRoute? route))
                {
                    checks.Add(documents.CheckAtAsync(route, node.Server));
                }
            }

            await Task.WhenAll(checks).WaitAsync(patience.Token);
            await learning.TakeAsync(node, offer, patience.Token);
            _seen[said.Instance] = said.State;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or JsonException)
        {
            // The next round asks again.
            LogNoState(log, said.Id, e.Message);
        }
        finally
        {
            _asking.TryRemove(said.Instance, out _);
        }
    }

    /// <summary>The repositories of an offer that are repositories here; of what is learned, no more than a node keeps.</summary>
    private NodeOffer Known(NodeOffer offer)
    {
        bool IsKnown(Fqrn fqrn) => routes.TryFind(fqrn, out _);
        return new NodeOffer(
            offer.Repositories.Where(one => IsKnown(one.Key)).ToDictionary(),
            offer.Boots?.Where(one => IsKnown(one.Key)).Take(SiteBoots.MaxRepositories).ToDictionary(),
            offer.Sets?.Where(one => IsKnown(one.Key)).ToDictionary());
    }

    private async Task<NodeOffer> ReadAsync(Stratum1 node, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, node.UrlOf("/node/state")) { Version = HttpVersion.Version11 };
        site.Sign(request);
        using HttpResponseMessage response = await node.Client.SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
        await response.Content.LoadIntoBufferAsync(MaxOfferBytes, cancellationToken);
        byte[] json = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        return JsonSerializer.Deserialize<NodeOffer>(json, NodeOffer.Options) is { Repositories: not null } offer
            ? offer : throw new JsonException("an empty state");
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "What node {Node} offers could not be read: {Why}")]
    private static partial void LogNoState(ILogger log, string node, string why);
}
