using Breakwater.CacheStore.Quotas;

namespace Breakwater.CacheStore;

/// <summary>Settings of the object store (section <c>Store</c>).</summary>
public sealed class StoreOptions
{
    /// <summary>Directory of the store; made when missing. Null: the caller chooses.</summary>
    public string? Path { get; set; }

    /// <summary>
    /// Longest object that is stored, bytes; never more than a quarter of the quota. Default 4 GiB: CernVM-FS files may be 1 GiB and more
    /// when they are not chunked.
    /// </summary>
    [Between(1L << 20, 1L << 40, "bytes")]
    public long MaxObjectBytes { get; set; } = 4L << 30;

    /// <summary>
    /// Bytes that the objects may take on disk. Null: 80 % of what is free (and what the store holds already) at the first start,
    /// remembered from then on. At least <see cref="MinQuotaBytes"/>.
    /// </summary>
    [Between(MinQuotaBytes, 1L << 50, "bytes")]
    public long? QuotaBytes { get; set; }

    /// <summary>Smallest quota that makes sense: 64 MiB, 16 segments of 4 MiB.</summary>
    public const long MinQuotaBytes = 64L << 20;

    /// <summary>
    /// Free bytes of the file system that the store does not touch, whatever its quota. Default 1 GiB: others need to write, too.
    /// </summary>
    [Between(0, 1L << 50, "bytes")]
    public long MinFreeBytes { get; set; } = 1L << 30;

    /// <summary>
    /// Memory that the index's records may take; those beyond it are on disk, and each look at one costs a read. Default 1 GiB: 22 million
    /// objects of 48 bytes. Taken as the records come, rounded down to a power of two, at least 16 MiB. The hash table comes on top: 9 to
    /// 18 bytes an object of the quota.
    /// </summary>
    [Between(1L << 24, 1L << 40, "bytes")]
    public long IndexMemoryBytes { get; set; } = 1L << 30;

    /// <summary>Gives what is named another share of the quota, for the next store that is opened.</summary>
    public void ShareWithNamed(double share) => NamedShare = share;

    /// <summary>Counts what these have stored, in the next store that is opened.</summary>
    public void Count(IReadOnlyList<StoreShare> shares) => Shares = shares;

    /// <summary>
    /// Rate at which stored objects are read and hashed again in the background while the process is not busy. Default 16 MiB/s: 1.3 TiB a
    /// day.
    /// </summary>
    [Between(1L << 16, 1L << 40, "bytes")]
    public long ScrubBytesPerSecond { get; set; } = 16L << 20;

    /// <summary>Rest between two passes of the scrubber, and before the first. Default one day.</summary>
    [Between("00:01:00", "365.00:00:00")]
    public TimeSpan ScrubInterval { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Share of the quota that what is named may take (<see cref="Store.NamedStore"/>).</summary>
    public double NamedShare { get; private set; } = 0.3;

    /// <summary>On whose account objects go (<see cref="StoreShares"/>).</summary>
    internal IReadOnlyList<StoreShare> Shares { get; private set; } = [];

    /// <summary>Memory of the index of what is named.</summary>
    internal long NamedIndexMemoryBytes => (long)(NamedShare * IndexMemoryBytes);

    /// <summary>Below it a store is not opened.</summary>
    internal long LeastQuotaBytes { get; init; } = MinQuotaBytes;

    /// <summary>Is it the store of what is named itself? That has no documents, and no other beside it.</summary>
    internal bool IsNamed { get; init; }

    /// <summary>Told of each object just before it is evicted.</summary>
    internal Action<ObjectKey>? Evicting { get; init; }

    /// <summary>
    /// Time between two commits of the log. Default 200 ms: what a crash may lose, and what a commit costs, balanced (docs/develop/adr).
    /// </summary>
    [Between("00:00:00.010", "00:00:10")]
    public TimeSpan CommitInterval { get; set; } = TimeSpan.FromMilliseconds(200);
}
