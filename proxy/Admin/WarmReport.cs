namespace Breakwater.Proxy.Admin;

/// <summary>How warming stands; the last one has <paramref name="IsDone"/>.</summary>
internal sealed record WarmReport(int Total, int Present, int Fetched, int Failed, bool IsDone, string? Problem)
{
    /// <summary>Paths asked for that the snapshot does not have, the first thousand; in the last report.</summary>
    public IReadOnlyList<string>? Unmatched { get; init; }
}
