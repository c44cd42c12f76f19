namespace Breakwater.Proxy.Access;

/// <summary>What the bytes at the beginning of a connection say, read as a header of the PROXY protocol.</summary>
internal enum ProxyHeaderScan
{
    /// <summary>They may become one.</summary>
    Incomplete,

    /// <summary>It is one, and right.</summary>
    Whole,

    /// <summary>They are none, whatever follows.</summary>
    Malformed,
}
