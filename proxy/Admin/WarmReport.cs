namespace Breakwater.Proxy.Admin;

/// <summary>How warming stands; the last one has <paramref name="IsDone"/>.</summary>
internal sealed record WarmReport(int Total, int Present, int Fetched, int Failed, bool IsDone, string? Problem)
{
    /// <summary>Paths asked for that the snapshot does not have, the first thousand; in the last report.</summary>
    public IReadOnlyList<string>? Unmatched { get; init; }

    /// <summary>Full name of the pin that keeps what is here; in the last report. Null: the standing sets' pins do.</summary>
    public string? Pin { get; init; }
}
