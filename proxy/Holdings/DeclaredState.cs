namespace Breakwater.Proxy.Holdings;

/// <summary>How far something is that the settings declare.</summary>
internal enum DeclaredState : byte
{
    /// <summary>It is being done.</summary>
    UnderWay,

    /// <summary>It is as declared.</summary>
    Done,

    /// <summary>It could not be done, and is tried again.</summary>
    Failed,

    /// <summary>It waits for what happens elsewhere.</summary>
    Waits,
}
