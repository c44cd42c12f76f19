namespace Breakwater.Proxy.Guessing;

/// <summary>What became of a guess.</summary>
internal enum GuessOutcome : byte
{
    /// <summary>It was in the store before it was asked for.</summary>
    Before,

    /// <summary>It was under way when it was asked for.</summary>
    UnderWay,

    /// <summary>Nobody had asked for it when the boot was over.</summary>
    InVain,
}
