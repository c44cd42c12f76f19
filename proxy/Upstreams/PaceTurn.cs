namespace Breakwater.Proxy.Upstreams;

/// <summary>Whose bytes come first when the way upstream is limited.</summary>
internal enum PaceTurn : byte
{
    /// <summary>A client waits and has had nothing of it yet, or a whole boot waits behind it.</summary>
    First = 0,

    /// <summary>A client waits for more of it.</summary>
    More = 1,

    /// <summary>Nobody waits: prefetches, warming, healing, exports.</summary>
    Idle = 2,
}
