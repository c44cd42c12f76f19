namespace Breakwater.Laboratory.Stratum1;

/// <summary>What an emulated Stratum 1 has answered since its last reset. Exact.</summary>
internal sealed record UpstreamCounters
{
    /// <summary>All requests but those to the control path.</summary>
    public required long Requests { get; init; }

    /// <summary>Requests for hash-named objects.</summary>
    public required long ObjectRequests { get; init; }

    /// <summary>Different hash-named objects among them.</summary>
    public required int DistinctObjects { get; init; }

    /// <summary>Requests for anything that is not served here.</summary>
    public required long Unknown { get; init; }

    /// <summary>Body bytes handed to the kernel.</summary>
    public required long BodyBytes { get; init; }

    /// <summary>Connections accepted.</summary>
    public required long Connections { get; init; }

    /// <summary>Most requests in progress at once.</summary>
    public required int MaxConcurrent { get; init; }

    /// <summary>When the last body byte was handed to the kernel, in seconds after the reset; 0 before any.</summary>
    public required double LastByteSeconds { get; init; }

    /// <summary>Answers that were made wrong, by fault.</summary>
    public required IReadOnlyDictionary<string, long> Faults { get; init; }

    /// <summary>The most requests in progress in each slice of <see cref="SliceMs"/> since the reset.</summary>
    public required IReadOnlyList<int> ConcurrencyTimeline { get; init; }

    /// <summary>Length of a slice of the timeline.</summary>
    public const int SliceMs = 100;
}
