namespace Breakwater.Laboratory.Stratum1;

/// <summary>One path with its bytes.</summary>
internal sealed record Served(string Path, byte[] Body)
{
    /// <summary>Named by its hash?</summary>
    public bool IsObject { get; } = Path.Contains("/data/", StringComparison.Ordinal);

    /// <summary>A <c>.cvmfs…</c> file?</summary>
    public bool IsDocument { get; } = Path[(Path.LastIndexOf('/') + 1)..].StartsWith(".cvmfs", StringComparison.Ordinal);

    /// <summary>
    /// The head of the ordinary answer, once it was needed, and what it was made for: kept, since most answers are ordinary.
    /// </summary>
    public (byte[] Head, TimeSpan MaxAge, long Second)? Ordinary { get; set; }
}
