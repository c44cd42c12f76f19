namespace Breakwater.Laboratory.Stratum1;

/// <summary>How an answer ends once its bytes are out.</summary>
internal enum Ending
{
    /// <summary>The connection takes the next request.</summary>
    KeepAlive,

    /// <summary>Closed.</summary>
    Close,

    /// <summary>Reset.</summary>
    Reset,

    /// <summary>Left open, silent.</summary>
    Silence,
}
