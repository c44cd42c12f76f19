namespace Breakwater.Proxy.Caching;

/// <summary>The head of an answer that is kept. Immutable: a 304 makes a new one.</summary>
internal sealed record StoredHead
{
    /// <summary>Status of the answer.</summary>
    public required int Status { get; init; }

    /// <summary>Its reason phrase; null: that of the status.</summary>
    public string? Reason { get; init; }

    /// <summary>Its fields without those of the connection. Not to be changed.</summary>
    public required HeaderFields Fields { get; init; }

    /// <summary>
    /// Each field that <c>Vary</c> names with the request's value, as <see cref="VaryKey"/> writes it; null: the request had none.
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, string?>> VaryValues { get; init; } = [];

    /// <summary>When it was asked for.</summary>
    public required DateTimeOffset RequestedAt { get; init; }

    /// <summary>When it had come.</summary>
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>When it had come, by the monotonic clock of the process that stored it; null: it is not stored yet, or not known.</summary>
    public Arrival? Arrival { get; init; }

    /// <summary>
    /// So long it has been here at least when it was looked up, where the wall clock says less because it was set back; else zero.
    /// </summary>
    public TimeSpan HereFor { get; init; }

    /// <summary>Identity of the body: slices are named by it. Empty: there is no body.</summary>
    public byte[] BodyId { get; init; } = [];

    /// <summary>Length of the whole body, bytes; null: not known yet, the body is still coming.</summary>
    public long? Length { get; init; } = 0;

    /// <summary>Host and port that sent it, where several are asked for the same; null: not known.</summary>
    public string? Source { get; init; }

    /// <summary>What it says about keeping it.</summary>
    public ResponsePolicy Policy => _policy ??= ResponsePolicy.Of(Fields);

    private ResponsePolicy? _policy;

    /// <summary>Would both be sent as the same answer at the same time?</summary>
    public bool IsSameAs(StoredHead other) => Status == other.Status && Reason == other.Reason && Length == other.Length
        && RequestedAt == other.RequestedAt && ReceivedAt == other.ReceivedAt && BodyId.AsSpan().SequenceEqual(other.BodyId)
        && Fields.SequenceEqual(other.Fields);

    /// <summary>Copies all but what was read off the fields.</summary>
    public StoredHead(StoredHead other)
    {
        Status = other.Status;
        Reason = other.Reason;
        Fields = other.Fields;
        VaryValues = other.VaryValues;
        RequestedAt = other.RequestedAt;
        ReceivedAt = other.ReceivedAt;
        BodyId = other.BodyId;
        Length = other.Length;
        Source = other.Source;
        Arrival = other.Arrival;
        HereFor = other.HereFor;
    }
}
