namespace Breakwater.Proxy.Boots;

/// <summary>What a comparison with whole boots says.</summary>
internal enum BootVerdict : byte
{
    /// <summary>Too few boots of its kind are known.</summary>
    Unknown,

    /// <summary>It has read what such boots read last.</summary>
    Whole,

    /// <summary>It has read the same as others, but nothing of what they read last.</summary>
    Short,
}
