namespace Breakwater.Proxy.Admin;

/// <summary>
/// What the admin API tells of a repository. <paramref name="Prefetch"/> is null when nothing was fetched ahead since the start.
/// </summary>
internal sealed record RepositoryView(
    string Repository,
    ulong? Revision,
    string Trust,
    DateTimeOffset? CheckedAt,
    DateTimeOffset? WhitelistExpiresAt,
    ulong? HeldRevision,
    string? LastRefusal,
    PrefetchView? Prefetch)
{
    /// <summary>Why its newest manifest could not be had when it was last asked for; null: it could, or nobody has asked.</summary>
    public string? LastFailure { get; init; }
}
