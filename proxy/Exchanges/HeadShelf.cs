using Breakwater.CacheStore.Heads;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// The stored heads by URI. They carry wall time, since nothing else outlives a process; one that was stored by this process is also known
/// by its monotonic clock, so that a wall clock that is set back makes nothing younger. Thread-safe: changes of one URI go one after the
/// other.
/// </summary>
internal sealed class HeadShelf(NamedStore named, TimeProvider time)
{
    /// <summary>Both clocks read at two moments differ by less, unless one was set.</summary>
    private static readonly TimeSpan s_same = TimeSpan.FromSeconds(1);

    /// <summary>Older than anything is fresh.</summary>
    private static readonly TimeSpan s_never = TimeSpan.FromSeconds(CacheDirectives.MaxSeconds);

    private readonly long _process = Random.Shared.NextInt64(1, long.MaxValue);
    private readonly Lock[] _gates = [.. Enumerable.Range(0, 64).Select(_ => new Lock())];

    /// <summary>Can anything be kept? False: the disk does not let the store be opened.</summary>
    public bool CanKeep => Store is not null;

    private IHeadStore? Store
    {
        get
        {
            try
            {
                return named.Heads;
            }
            catch (IOException)
            {
                return null;
            }
        }
    }

    /// <summary>All answers that are stored for a URI; null: none.</summary>
    public HeadDocument? Find(string uri) =>
        Store is { } store && store.TryGet(uri, out ReadOnlyMemory<byte> stored) && HeadDocument.Decode(stored) is { } document
            ? new HeadDocument([.. document.Variants.Select(WithAge)])
            : null;

    /// <inheritdoc cref="IHeadStore.TryMark"/>
    public bool TryMark(string uri, out HeadMark mark)
    {
        mark = default;
        return Store is { } store && store.TryMark(uri, out mark);
    }

    /// <inheritdoc cref="IHeadStore.IsCurrent"/>
    public bool IsCurrent(in HeadMark mark) => Store is { } store && store.IsCurrent(mark);

    /// <summary>Stores an answer beside those for other requests of the same URI.</summary>
    /// <param name="uri">The URI.</param>
    /// <param name="head">The answer.</param>
    /// <param name="renewed">The stored one whose place it takes.</param>
    public void Put(string uri, StoredHead head, StoredHead? renewed = null)
    {
        lock (GateOf(uri))
        {
            HeadDocument before = Find(uri) ?? new HeadDocument([]);
            Store?.Put(uri, before.Without(renewed).With(Arrived(head)).Encode());
        }
    }

    /// <summary>Forgets one answer of a URI.</summary>
    public void Remove(string uri, StoredHead head)
    {
        lock (GateOf(uri))
        {
            HeadDocument? left = Find(uri)?.Without(head);
            if (left is { Variants.Count: > 0 })
            {
                Store?.Put(uri, left.Encode());
            }
            else
            {
                Store?.Remove(uri);
            }
        }
    }

    /// <summary>Forgets all answers of a URI (RFC 9111, 4.4).</summary>
    public void Remove(string uri)
    {
        lock (GateOf(uri))
        {
            Store?.Remove(uri);
        }
    }

    /// <summary>The answer with the time at which it came by the monotonic clock; one that has it stays as it is.</summary>
    public StoredHead Arrived(StoredHead head)
    {
        if (head.Arrival?.Process == _process)
        {
            return head;
        }

        TimeSpan ago = Freshness.TimeSince(head.ReceivedAt, time.GetUtcNow());
        return head with { Arrival = new Arrival(_process, time.GetTimestamp() - (long)(ago.TotalSeconds * time.TimestampFrequency)) };
    }

    /// <summary>An answer that has <see cref="Arrived"/>, with the age that it has now.</summary>
    public StoredHead WithAge(StoredHead head)
    {
        TimeSpan byWall = time.GetUtcNow() - head.ReceivedAt;
        bool isOurs = head.Arrival?.Process == _process;
        TimeSpan elapsed = isOurs ? time.GetElapsedTime(head.Arrival!.Value.Timestamp) : byWall < TimeSpan.Zero ? s_never : TimeSpan.Zero;
        return elapsed > byWall + s_same ? head with { HereFor = elapsed } : head;
    }

    private Lock GateOf(string uri) => _gates[(uint)uri.GetHashCode(StringComparison.Ordinal) % _gates.Length];
}
