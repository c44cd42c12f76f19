using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>
/// Boots that the site's nodes have seen, where one node learns for all: that which owns the repository's name. The others keep what they
/// have seen until that node takes it, and take its sets. Thread-safe.
/// </summary>
internal sealed class SiteBoots(ISiteNodes nodes)
{
    /// <summary>As many as a set is merged from.</summary>
    private const int MaxOfRepository = 9;

    /// <summary>Repositories of which a node keeps boots for others.</summary>
    public const int MaxRepositories = 64;

    /// <summary>A longer one is learned from where it was seen: it is no boot of an image.</summary>
    private const int MaxReads = 20_000;

    private const int MaxArrived = 64;

    private readonly Dictionary<Fqrn, List<RecordedBoot>> _kept = [];    // guarded by _gate
    private readonly ConcurrentQueue<RecordedBoot> _arrived = new();
    private readonly Lock _gate = new();
    private long _number;   // guarded by _gate

    /// <summary>Does another node learn of this repository?</summary>
    public bool IsLearnedElsewhere(Fqrn repository) => nodes.Before(repository.ToString()).Count > 0;

    /// <summary>Keeps a boot for the node that learns of its repository. False: it is learned from here.</summary>
    public bool TryKeep(RecordedBoot boot)
    {
        if (boot.Reads.Count > MaxReads || !IsLearnedElsewhere(boot.Repository))
        {
            return false;
        }

        lock (_gate)
        {
            if (!_kept.TryGetValue(boot.Repository, out List<RecordedBoot>? boots))
            {
                if (_kept.Count >= MaxRepositories)
                {
                    return false;
                }

                _kept.Add(boot.Repository, boots = []);
            }

            // Numbered anew: whoever takes them remembers the highest.
            boots.RemoveAll(earlier => earlier.Client is not null && earlier.Client.Equals(boot.Client));
            boots.Add(boot with { Id = ++_number });
            if (boots.Count > MaxOfRepository)
            {
                boots.RemoveAt(0);
            }
        }

        return true;
    }

    /// <summary>The newest kept boot's number of each repository.</summary>
    public SortedDictionary<Fqrn, long> Newest()
    {
        lock (_gate)
        {
            var newest = new SortedDictionary<Fqrn, long>();
            foreach ((Fqrn repository, List<RecordedBoot> boots) in _kept)
            {
                newest[repository] = boots[^1].Id;
            }

            return newest;
        }
    }

    /// <summary>The kept boots of a repository.</summary>
    public IReadOnlyList<RecordedBoot> Of(Fqrn repository)
    {
        lock (_gate)
        {
            return _kept.TryGetValue(repository, out List<RecordedBoot>? boots) ? [.. boots] : [];
        }
    }

    /// <summary>A boot came from another node, to be learned from here.</summary>
    public void Take(RecordedBoot boot)
    {
        if (_arrived.Count < MaxArrived)
        {
            _arrived.Enqueue(boot);
        }
    }

    /// <summary>The next one that came.</summary>
    public bool TryTakeArrived([NotNullWhen(true)] out RecordedBoot? boot) => _arrived.TryDequeue(out boot);
}
