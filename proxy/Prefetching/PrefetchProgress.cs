using Breakwater.CacheStore;

namespace Breakwater.Proxy.Prefetching;

/// <summary>How a prefetch stands; counts only grow. Thread-safe.</summary>
internal sealed class PrefetchProgress
{
    private int _present;
    private int _fetched;
    private int _failed;
    private long _fetchedBytes;

    /// <summary>Objects to look at.</summary>
    public int Total { get; set; }

    /// <summary>Paths asked for that the snapshot does not have.</summary>
    public IReadOnlyList<string> Unmatched { get; set; } = [];

    /// <summary>Objects that the store had.</summary>
    public int Present => Volatile.Read(ref _present);

    /// <summary>Objects that were fetched.</summary>
    public int Fetched => Volatile.Read(ref _fetched);

    /// <summary>Bytes that came, of those that failed, too.</summary>
    public long FetchedBytes => Interlocked.Read(ref _fetchedBytes);

    /// <summary>Objects that no Stratum 1 could give.</summary>
    public int Failed => Volatile.Read(ref _failed);

    /// <summary>The prefetch ends when so many could not be had. Default: never.</summary>
    public int MaxFailed { get; init; } = int.MaxValue;

    /// <summary>Told of each object that no Stratum 1 has; null: nobody wants to know.</summary>
    public Action<ObjectKey>? NotFound { get; init; }

    public void AddPresent() => Interlocked.Increment(ref _present);

    public void AddFetched() => Interlocked.Increment(ref _fetched);

    public void AddBytes(int bytes) => Interlocked.Add(ref _fetchedBytes, bytes);

    public void AddFailed() => Interlocked.Increment(ref _failed);
}
