using System.Collections.Concurrent;
using System.Collections.ObjectModel;
using System.Net;
using System.Text.Json;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// Working sets among nodes: a repository's owner takes the boots that the others have seen and learns from all of them; the others take
/// its sets. Thread-safe.
/// </summary>
internal sealed class NodeLearning(SiteBoots boots, WorkingSetStore sets, ISiteNodes site)
{
    /// <summary>The sets of one repository, and nine boots, are far below.</summary>
    public const int MaxAnswerBytes = 32 << 20;

    private readonly ConcurrentDictionary<(string Instance, Fqrn Repository), long> _taken = new();   // number of the newest boot

    /// <summary>Takes what another node offers and this one has not.</summary>
    /// <exception cref="HttpRequestException">It could not be asked.</exception>
    /// <exception cref="JsonException">What it sent is something else.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task TakeAsync(KnownNode node, NodeOffer offer, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<Fqrn, long> offered = offer.Boots ?? ReadOnlyDictionary<Fqrn, long>.Empty;
        foreach ((string Instance, Fqrn Repository) gone
            in _taken.Keys.Where(key => key.Instance == node.Announcement!.Instance && !offered.ContainsKey(key.Repository)))
        {
            _taken.TryRemove(gone, out _);
        }

        foreach ((Fqrn repository, long newest) in offered)
        {
            long taken = _taken.GetValueOrDefault((node.Announcement!.Instance, repository));
            if (taken < newest && !boots.IsLearnedElsewhere(repository))
            {
                await TakeBootsAsync(node, repository, taken, cancellationToken);
            }
        }

        foreach ((Fqrn repository, string version) in offer.Sets ?? ReadOnlyDictionary<Fqrn, string>.Empty)
        {
            if (VersionOf(sets, repository) != version && site.Before(repository.ToString()) is [{ } owner, ..]
                && owner.Destination == node.Server.Destination)
            {
                await TakeSetsAsync(node, repository, cancellationToken);
            }
        }
    }

    /// <summary>Nodes that are gone are forgotten.</summary>
    public void Keep(IReadOnlySet<string> instances)
    {
        foreach ((string Instance, Fqrn Repository) gone in _taken.Keys.Where(key => !instances.Contains(key.Instance)))
        {
            _taken.TryRemove(gone, out _);
        }
    }

    /// <summary>The learned sets of each repository, as a text that is another one when one of them has changed.</summary>
    public static SortedDictionary<Fqrn, string> Versions(WorkingSetStore sets)
    {
        var versions = new SortedDictionary<Fqrn, string>();
        foreach (IGrouping<Fqrn, WorkingSet> ofOne in Learned(sets.All).GroupBy(set => set.Repository))
        {
            versions[ofOne.Key] = VersionOf(ofOne);
        }

        return versions;
    }

    /// <summary>The boots of a repository that this node keeps for its owner, as JSON.</summary>
    public byte[] WriteBoots(Fqrn repository) => BootFile.Write(boots.Of(repository));

    /// <summary>The learned sets of a repository as JSON.</summary>
    public byte[] WriteSets(Fqrn repository)
    {
        using var json = new MemoryStream();
        json.Write("["u8);
        foreach ((int i, WorkingSet set) in Learned(sets.Of(repository)).Index())
        {
            json.Write(i == 0 ? ""u8 : ","u8);
            json.Write(WorkingSetFile.Write(set));
        }

        json.Write("]"u8);
        return json.ToArray();
    }

    private static IEnumerable<WorkingSet> Learned(IEnumerable<WorkingSet> all) =>
        all.Where(set => set.Source == WorkingSetSource.Learned);

    private static string VersionOf(WorkingSetStore sets, Fqrn repository) => VersionOf(Learned(sets.Of(repository)));

    private static string VersionOf(IEnumerable<WorkingSet> sets) =>
        string.Join(' ', sets.Select(set => $"{set.Name}:{set.Boots}:{set.Entries.Count}:{set.UpdatedAt.UtcTicks}"));

    private async Task TakeBootsAsync(KnownNode node, Fqrn repository, long taken, CancellationToken cancellationToken)
    {
        byte[] json = await ReadAsync(node.Server, $"/node/boots/{repository}", cancellationToken);
        IReadOnlyList<RecordedBoot> offered = BootFile.Read(repository, json) ?? throw new JsonException("these are no boots");
        string instance = node.Announcement!.Instance;
        foreach (RecordedBoot boot in offered.Where(boot => boot.Id > taken && boot.Repository == repository))
        {
            // Its number is that of its node: another node's boot has another one.
            boots.Take(boot with { Id = (uint)HashCode.Combine(instance, boot.Id) | (1L << 40) });
            _taken[(instance, repository)] = Math.Max(boot.Id, _taken.GetValueOrDefault((instance, repository)));
        }
    }

    private async Task TakeSetsAsync(KnownNode node, Fqrn repository, CancellationToken cancellationToken)
    {
        byte[] json = await ReadAsync(node.Server, $"/node/working-sets/{repository}", cancellationToken);
        if (!WorkingSetFile.ReadAll(json).TryGet(out IReadOnlyList<WorkingSet>? offered, out string? problem))
        {
            throw new JsonException(problem);
        }

        WorkingSet[] taken = [.. Learned(offered).Where(set => set.Repository == repository)];
        foreach (WorkingSet gone in Learned(sets.Of(repository)).Where(own => !taken.Any(set => set.Name == own.Name)).ToList())
        {
            sets.Remove(repository, gone.Name);
        }

        foreach (WorkingSet set in taken)
        {
            await sets.PutAsync(set);
        }
    }

    private async Task<byte[]> ReadAsync(Stratum1 node, string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, node.UrlOf(path)) { Version = HttpVersion.Version11 };
        site.Sign(request);
        using HttpResponseMessage response = await node.Client.SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
        await response.Content.LoadIntoBufferAsync(MaxAnswerBytes, cancellationToken);
        return await response.Content.ReadAsByteArrayAsync(cancellationToken);
    }
}
