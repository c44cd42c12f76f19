namespace Breakwater.StoreCrash;

/// <summary>What all rounds found. Everything from <see cref="Damaged"/> on must be 0.</summary>
public sealed record CrashReport
{
    public int Rounds { get; init; }

    public int Acknowledged { get; init; }

    public int Evicted { get; init; }

    public int Pinned { get; init; }

    public int Documents { get; init; }

    /// <summary>Objects that the scrubber read and hashed beside the writers, each pass counted.</summary>
    public long Scrubbed { get; init; }

    /// <summary>Stored objects that the scrubber found wrong: a kill damages nothing that the index knows.</summary>
    public int Damaged { get; init; }

    /// <summary>Acknowledged, not evicted, not there.</summary>
    public int Lost { get; init; }

    public int LostPinned { get; init; }

    public int Wrong { get; init; }

    public int WrongDocuments { get; init; }

    /// <summary>Objects in the store that should never have been taken: wrong bytes or aborted.</summary>
    public int Forbidden { get; init; }

    public int Failures => Damaged + Lost + LostPinned + Wrong + WrongDocuments + Forbidden;
}
