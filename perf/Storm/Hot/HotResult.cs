namespace Breakwater.Storm.Hot;

/// <summary>What a load came to.</summary>
internal sealed record HotResult
{
    /// <summary>Good answers a second.</summary>
    public required double RequestsPerSecond { get; init; }

    /// <summary>Body bytes a second.</summary>
    public required double BytesPerSecond { get; init; }

    /// <summary>Good answers.</summary>
    public required long Requests { get; init; }

    /// <summary>Failed exchanges.</summary>
    public required long Errors { get; init; }

    /// <summary>Why they failed, the warm-up's among them.</summary>
    public required IReadOnlyDictionary<string, long> Failures { get; init; }

    /// <summary>From the request to the last byte of the answer.</summary>
    public required Vms.Times Latency { get; init; }

    /// <summary>CPU of the generator an answer, in µs.</summary>
    public required double GeneratorUsPerRequest { get; init; }
}
