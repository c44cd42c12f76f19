namespace Breakwater.Proxy.Boots;

/// <summary>How far a boot has been judged since its last request.</summary>
internal enum BootJudgement : byte
{
    /// <summary>Not at all: it goes on.</summary>
    None,

    /// <summary>After the first silence.</summary>
    Paused,

    /// <summary>After the silence at which a boot is over.</summary>
    Silent,
}
