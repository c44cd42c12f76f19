using Breakwater.CacheStore.Spooling;

namespace Breakwater.Repositories;

/// <summary>How much of an untrusted catalog or history is read before it counts as malformed.</summary>
public sealed record CatalogLimits
{
    /// <summary>Limits that the largest public repositories stay far below.</summary>
    public static readonly CatalogLimits Default = new();

    /// <summary>Bytes on the wire. Default 512 MiB: publishers are told to stay below 50 MB, some do not.</summary>
    public long MaxWireBytes { get; init; } = 512L << 20;

    /// <summary>Bytes once inflated, on disk for as long as the catalog is open. Default 512 MiB.</summary>
    public long MaxInflatedBytes { get; init; } = 512L << 20;

    /// <summary>
    /// How many times its wire bytes a catalog may have once inflated, beyond <see cref="FreeInflatedBytes"/>. Default 64: real ones have 3
    /// to 10 times, for digests do not compress.
    /// </summary>
    public int MaxInflation { get; init; } = 64;

    /// <summary>So many bytes may be inflated from however few: small catalogs are mostly empty pages.</summary>
    public const long FreeInflatedBytes = 4L << 20;

    /// <summary>
    /// Bytes of all inflated catalogs at a time, of all who read them: what the temporary directory must have room for. Default 512 MiB.
    /// </summary>
    public OverflowBudget OpenBytes { get; init; } = new(512L << 20);

    /// <summary>Rows of one catalog. Default 10 million: publishers are told to stay below 200,000.</summary>
    public long MaxRows { get; init; } = 10_000_000;

    /// <summary>Directory for the inflated file, which is unlinked as soon as it is open. Default: the system's.</summary>
    public string TemporaryDirectory { get; init; } = Path.GetTempPath();
}
