namespace Breakwater.Proxy.Guessing;

/// <summary>How far guesses go; the figures of the rules were tuned on recorded boots (ADR 126).</summary>
internal sealed record GuessLimits
{
    /// <summary>Files of a directory whose rest is fetched after two of them were read.</summary>
    public int DirectoryFiles { get; init; } = 512;

    /// <summary>Bytes of their content.</summary>
    public long DirectoryBytes { get; init; } = 400 << 10;

    /// <summary>Catalogs nested in one that arrived: more of them are not guessed.</summary>
    public int NestedCatalogs { get; init; } = 16;

    /// <summary>Bytes of a nested catalog, inflated.</summary>
    public long NestedCatalogBytes { get; init; } = 512 << 10;

    /// <summary>Chunks fetched after one that was read.</summary>
    public int NextChunks { get; init; } = 2;

    /// <summary>Objects guessed and not asked for yet, beside as many as were asked for.</summary>
    public int UnaskedObjects { get; init; } = 256;

    /// <summary>Their bytes, beside as many as were asked for, of which <see cref="BytesInVain"/> count at most.</summary>
    public long UnaskedBytes { get; init; } = 16L << 20;

    /// <summary>Objects guessed in one boot.</summary>
    public int Objects { get; init; } = 20_000;

    /// <summary>Bytes in vain, of all boots of a repository since the start: beyond them nothing is guessed for it.</summary>
    public long BytesInVain { get; init; } = 256L << 20;

    /// <summary>Files whose place in the tree is known at a time, of one repository; some 100 bytes each.</summary>
    public int KnownFiles { get; init; } = 100_000;

    /// <summary>Catalogs held open for one repository.</summary>
    public int Catalogs { get; init; } = 48;

    /// <summary>
    /// Names looked up in the catalogs for what one program needs: 30 libraries in ten directories of four names take 1,200.
    /// </summary>
    public int LookUpsOfProgram { get; init; } = 8192;

    /// <summary>Names looked up in one boot, for all of its programs.</summary>
    public int LookUps { get; init; } = 2_000_000;

    /// <summary>Characters of the names in directories kept in memory, of one repository; each name and directory counts 32 more.</summary>
    public int ListedChars { get; init; } = 2 << 20;

    /// <summary>Silence that ends a session.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(20);
}
