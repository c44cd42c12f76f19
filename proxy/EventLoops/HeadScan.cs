namespace Breakwater.Proxy.EventLoops;

/// <summary>What a scan of the bytes at hand finds.</summary>
internal enum HeadScan : byte
{
    /// <summary>No end of a head yet.</summary>
    Incomplete,

    /// <summary>A plain GET or HEAD: the hit path may answer it.</summary>
    Plain,

    /// <summary>A well-framed request without a body that the hit path does not answer: Kestrel's, alone.</summary>
    Ordinary,

    /// <summary>Anything doubtful: the connection is Kestrel's from here on.</summary>
    Doubtful,
}
