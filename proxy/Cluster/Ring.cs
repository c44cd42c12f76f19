using System.Buffers.Binary;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// Which node owns what, by rendezvous hashing: every node that knows the same members comes to the same answer without asking anybody, and
/// a member that joins or leaves moves its own share alone. Pure and immutable (ADR 115).
/// </summary>
internal sealed class Ring
{
    private readonly RingMember[] _members;
    private readonly ulong[] _seeds;
    private readonly bool _isWeighted;

    /// <summary>Makes a ring.</summary>
    /// <param name="members">Its members, in any order. Of several with one id the first counts.</param>
    public Ring(IEnumerable<RingMember> members)
    {
        _members = [.. members.DistinctBy(m => m.Id, StringComparer.Ordinal).OrderBy(m => m.Id, StringComparer.Ordinal)];
        _seeds = [.. _members.Select(m => KeyOf(m.Id))];
        _isWeighted = _members.Any(m => m.Weight != _members[0].Weight);
    }

    /// <summary>The members, by id.</summary>
    public IReadOnlyList<RingMember> Members => _members;

    /// <summary>An object's place: the first bits of its digest.</summary>
    public static ulong KeyOf(in ObjectKey key) => (ulong)key.GetHashCode64();

    /// <summary>The place of what has a name, such as a repository.</summary>
    public static ulong KeyOf(string name)
    {
        Span<byte> digest = stackalloc byte[ObjectKey.DigestSizeBytes];
        NamedKey.Of(Encoding.UTF8.GetBytes(name)).CopyDigestTo(digest);
        return BinaryPrimitives.ReadUInt64LittleEndian(digest);
    }

    /// <summary>The owner and the one that is asked after it, of those who are not skipped; null: there is no such member.</summary>
    /// <param name="key">See <see cref="KeyOf(in ObjectKey)"/>.</param>
    /// <param name="isSkipped">Who is left out, as if it were no member; null: nobody.</param>
    public (RingMember? Owner, RingMember? Second) FirstTwo(ulong key, Predicate<RingMember>? isSkipped = null)
    {
        int first = -1;
        int second = -1;
        double firstScore = double.MinValue;
        double secondScore = double.MinValue;
        for (int i = 0; i < _members.Length; i++)
        {
            double score = Score(key, i);
            if (score <= secondScore || isSkipped?.Invoke(_members[i]) == true)
            {
                continue;
            }

            if (score > firstScore)
            {
                (second, secondScore) = (first, firstScore);
                (first, firstScore) = (i, score);
            }
            else
            {
                (second, secondScore) = (i, score);
            }
        }

        return (first < 0 ? null : _members[first], second < 0 ? null : _members[second]);
    }

    /// <summary>The owner; null: the ring is empty.</summary>
    public RingMember? Owner(ulong key) => FirstTwo(key).Owner;

    /// <summary>
    /// The largest wins. With equal weights the hash itself is compared, which comes to the same order without a logarithm.
    /// </summary>
    private double Score(ulong key, int member)
    {
        // 53 bits: what a double holds exactly. Never 0 or 1, whose logarithms are no scores.
        double u = ((Mix(key ^ _seeds[member]) >> 11) + 0.5) * (1.0 / (1UL << 53));
        return _isWeighted ? -_members[member].Weight / Math.Log(u) : u;
    }

    /// <summary>The finalizer of SplitMix64: each bit of the input changes half of the output's.</summary>
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
