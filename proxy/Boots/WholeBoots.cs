using Breakwater.Repositories;

namespace Breakwater.Proxy.Boots;

/// <summary>
/// The latest whole boots of each repository, and whether another boot got as far: one that reads fewer objects than they (another kernel,
/// fewer modules) still reads what they read last; one that stopped half-way does not. Bounded: 8 boots of 32 repositories, 32 KB each at
/// most. Not thread-safe.
/// </summary>
internal sealed class WholeBoots
{
    /// <summary>So many boots of the same kind must agree.</summary>
    public const int MinPeers = 3;

    private const int MaxPeers = 8;
    private const int MaxRepositories = 32;

    /// <summary>
    /// A peer is of the same kind when it has read this share of what the boot has read; of another image, or of users' work, it has not.
    /// </summary>
    public const double SameKind = 0.8;

    /// <summary>A boot that has read this part of what another read is not short of it.</summary>
    public const double AsLong = 0.85;

    /// <summary>The last part of a boot, and how little of it means that the boot did not come there.</summary>
    private const double Tail = 0.25;
    private const double TailReached = 0.2;

    private readonly Dictionary<Fqrn, Queue<uint[]>> _peers = [];
    private readonly Queue<Fqrn> _repositories = [];

    /// <summary>Takes note of a whole boot.</summary>
    public void Add(Fqrn repository, SeenObjects read)
    {
        if (!_peers.TryGetValue(repository, out Queue<uint[]>? peers))
        {
            _peers[repository] = peers = [];
            _repositories.Enqueue(repository);
            if (_repositories.Count > MaxRepositories)
            {
                _peers.Remove(_repositories.Dequeue());
            }
        }

        peers.Enqueue(read.Order.ToArray());
        if (peers.Count > MaxPeers)
        {
            peers.Dequeue();
        }
    }

    /// <summary>Objects of the longest of them; 0 when there is none.</summary>
    public int LongestOf(Fqrn repository)
    {
        int longest = 0;
        if (_peers.TryGetValue(repository, out Queue<uint[]>? peers))
        {
            foreach (uint[] peer in peers)
            {
                longest = Math.Max(longest, peer.Length);
            }
        }

        return longest;
    }

    /// <summary>What a comparison costs, in look-ups.</summary>
    public int CostOf(Fqrn repository) =>
        _peers.TryGetValue(repository, out Queue<uint[]>? peers) ? 1 + peers.Sum(peer => peer.Length) : 1;

    /// <summary>Compares a boot with the whole ones.</summary>
    public BootVerdict Judge(Fqrn repository, SeenObjects read)
    {
        int similar = 0;
        int further = 0;
        foreach (uint[] peer in _peers.GetValueOrDefault(repository) ?? [])
        {
            int tailFrom = peer.Length - Math.Max(1, (int)(peer.Length * Tail));
            int common = 0;
            int ofTail = 0;
            for (int i = 0; i < peer.Length; i++)
            {
                int has = read.Contains(peer[i]) ? 1 : 0;
                common += has;
                ofTail += i >= tailFrom ? has : 0;
            }

            if (common >= SameKind * read.Count)
            {
                similar++;
                further += ofTail < TailReached * (peer.Length - tailFrom) ? 1 : 0;
            }
        }

        return similar < MinPeers ? BootVerdict.Unknown : further >= MinPeers && further * 2 > similar
            ? BootVerdict.Short
            : BootVerdict.Whole;
    }
}
