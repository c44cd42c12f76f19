namespace Breakwater.CacheStore;

/// <summary>Settings of the object store (section <c>Store</c>).</summary>
public sealed class StoreOptions
{
    /// <summary>Directory of the store; made when missing. Null: the caller chooses.</summary>
    public string? Path { get; set; }

    /// <summary>Longest object that is stored, bytes. Default 4 GiB: CernVM-FS files may be 1 GiB and more when they are not chunked.</summary>
    public long MaxObjectBytes { get; set; } = 4L << 30;

    /// <summary>Time between two commits of the log. Default 200 ms: what a crash may lose, and what a commit costs, balanced (docs/adr).</summary>
    public TimeSpan CommitInterval { get; set; } = TimeSpan.FromMilliseconds(200);
}
