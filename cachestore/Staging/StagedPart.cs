using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Staging;

/// <summary>One part of a <see cref="StagedObject"/>, guarded by its lock.</summary>
internal sealed class StagedPart
{
    /// <summary>Its memory; null: it is read from its file.</summary>
    public StagedBuffer? Buffer { get; set; }

    /// <summary>Its file, held; null: it is in memory.</summary>
    public Segment? Segment { get; set; }

    /// <summary>Where the log has it; −1: not there, or given up.</summary>
    public long Address { get; set; } = -1;

    /// <summary>Where the log took it before the object's digest was known, until that is settled; −1: not so.</summary>
    public long UnverifiedAt { get; set; } = -1;

    /// <summary>Bytes in it.</summary>
    public int Length { get; set; }
}
