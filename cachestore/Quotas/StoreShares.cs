using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Quotas;

/// <summary>
/// Counts the bytes of each party's objects (<see cref="StoreShare"/>): an object is charged to whoever had it stored. Thread-safe.
/// </summary>
/// <remarks>
/// Objects carry the mark of their party on disk and its number in the index, so that a restart counts them anew and nothing is kept twice
/// (docs/develop/adr/0114-what-a-repository-may-take.md).
/// </remarks>
public sealed class StoreShares(ILogger? logger = null)
{
    /// <summary>Parties that are counted: the index has 5 bits for their number, and 0 is nobody's.</summary>
    public const int Most = 31;

    private readonly Lock _gate = new();
    private readonly StoreShare?[] _shares = new StoreShare?[Most + 1]; // by number; written under _gate
    private readonly long[] _bytes = new long[Most + 1];
    private readonly long[] _freshBytes = new long[Most + 1]; // of them, in the fresh log
    private volatile byte[]? _numbers; // by mark; replaced under _gate

    /// <summary>
    /// Counts these from now on. Those with a quota come first, then by name. Who is counted already stays so; objects that were stored
    /// while nobody counted their party are counted after the next start.
    /// </summary>
    public void Replace(IEnumerable<StoreShare> shares)
    {
        lock (_gate)
        {
            var wanted = shares.OrderBy(static share => share.QuotaBytes is null).ThenBy(static share => share.Name, StringComparer.Ordinal)
                .DistinctBy(static share => share.Mark).ToDictionary(static share => share.Mark);
            for (int number = 1; number <= Most; number++)
            {
                if (_shares[number] is { } known)
                {
                    // what is not wanted any more keeps its number while it has objects, and has no quota
                    Volatile.Write(ref _shares[number], wanted.Remove(known.Mark, out StoreShare? now) ? now
                        : Interlocked.Read(ref _bytes[number]) > 0 ? known with { QuotaBytes = null } : null);
                }
            }

            foreach (StoreShare share in wanted.Values)
            {
                int free = Array.IndexOf(_shares, null, 1);
                if (free < 0)
                {
                    Refuse(share);
                    continue;
                }

                Volatile.Write(ref _shares[free], share);
            }

            RenumberLocked();
        }
    }

    /// <summary>What each takes, by name.</summary>
    public IReadOnlyList<ShareUse> List()
    {
        List<ShareUse> uses = [];
        for (int number = 1; number <= Most; number++)
        {
            if (Volatile.Read(ref _shares[number]) is { } share)
            {
                uses.Add(new ShareUse(share.Name, Interlocked.Read(ref _bytes[number]), share.QuotaBytes));
            }
        }

        return [.. uses.OrderBy(static use => use.Name, StringComparer.Ordinal)];
    }

    /// <summary>The number of the party with this mark; 0: nobody counts it.</summary>
    internal int NumberOf(ushort mark) => _numbers is { } numbers ? numbers[mark] : 0;

    /// <summary>An object came (positive) or went.</summary>
    /// <param name="number">Of its party.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="isFresh">Is it in the fresh log?</param>
    internal void Count(int number, long length, bool isFresh)
    {
        if (number != 0)
        {
            Interlocked.Add(ref _bytes[number], length);
            if (isFresh)
            {
                Interlocked.Add(ref _freshBytes[number], length);
            }
        }
    }

    /// <summary>Bytes beyond its quota that a party has; 0: none, or it has no quota.</summary>
    internal long ExcessOf(int number) => Volatile.Read(ref _shares[number])?.QuotaBytes is { } quota
        ? Math.Max(0, Interlocked.Read(ref _bytes[number]) - quota)
        : 0;

    /// <summary>Bytes of the fresh log by which parties are beyond their quotas: room at nobody else's cost.</summary>
    internal long FreshExcess
    {
        get
        {
            long sum = 0;
            for (int number = 1; number <= Most; number++)
            {
                sum += Math.Min(ExcessOf(number), Interlocked.Read(ref _freshBytes[number]));
            }

            return sum;
        }
    }

    /// <summary>Objects of others have all numbers.</summary>
    private void Refuse(StoreShare share)
    {
        if (share.QuotaBytes is not null)
        {
            (logger ?? NullLogger.Instance).LogWarning(
                "The store counts {Most} parties at most and has objects of others: the quota of {Name} is in force after a restart.", Most,
                share.Name);
        }
    }

    private void RenumberLocked()
    {
        byte[]? numbers = null;
        for (int number = 1; number <= Most; number++)
        {
            if (_shares[number] is { } share)
            {
                numbers ??= new byte[ushort.MaxValue + 1];
                numbers[share.Mark] = (byte)number;
            }
        }

        _numbers = numbers;
    }
}
