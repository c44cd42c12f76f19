namespace Breakwater.Proxy.Boots;

/// <summary>Where a boot stands.</summary>
internal enum BootState : byte
{
    /// <summary>It has asked for something lately, or pauses half-way.</summary>
    Booting,

    /// <summary>It is silent, and nothing says that it lacks something.</summary>
    Done,

    /// <summary>It stopped half-way, and there is evidence of that: probably that VM went past the proxy (DIRECT), or died.</summary>
    Stopped,
}
