namespace Breakwater.Proxy.Boots;

/// <summary>In which order boots are shown.</summary>
internal enum BootOrder : byte
{
    /// <summary>Those that want to be looked at first: stopped, then booting, then the slowest.</summary>
    Attention,

    /// <summary>The slowest first.</summary>
    Slowest,

    /// <summary>The fastest first.</summary>
    Fastest,

    /// <summary>The one that began first, first.</summary>
    Oldest,

    /// <summary>The one that began last, first.</summary>
    Newest,

    /// <summary>By address.</summary>
    Client,

    /// <summary>Most requests first.</summary>
    Requests,

    /// <summary>Most bytes first.</summary>
    Bytes,
}
