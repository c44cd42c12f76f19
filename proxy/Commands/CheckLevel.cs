namespace Breakwater.Proxy.Commands;

/// <summary>How a check ended.</summary>
internal enum CheckLevel : byte
{
    /// <summary>Good.</summary>
    Ok,

    /// <summary>It works, but look at it.</summary>
    Warning,

    /// <summary>It cannot work so.</summary>
    Failure,
}
