namespace Breakwater.Proxy.Caching;

/// <summary>What the operator decides for a kind of URL where the answer itself says nothing.</summary>
/// <param name="MinFresh">Lifetime at least of an answer without a stated one; null: none.</param>
/// <param name="HeuristicShare">Share of the time since its last change for which an answer without a stated lifetime is fresh.</param>
/// <param name="MaxFresh">The most that the heuristic gives.</param>
/// <param name="Negative">The longest that an answer with a status from 400 on is kept fresh, whatever it says.</param>
/// <param name="StaleIfError">How long past its lifetime an answer may be used while the origin fails, unless it says so itself; 0:
/// never.</param>
/// <param name="Store">Is it stored at all?</param>
/// <param name="Join">Do requests wait for one that is under way?</param>
/// <param name="MaxObjectBytes">Longest body that is stored; null: no limit of its own.</param>
internal sealed record CachingRule(
    TimeSpan? MinFresh, double HeuristicShare, TimeSpan MaxFresh, TimeSpan Negative, TimeSpan StaleIfError, bool Store, bool Join,
        long? MaxObjectBytes)
{
    /// <summary>
    /// For URLs that no rule names: a tenth of the age and at most a day, as RFC 9111 (4.2.2) suggests; errors at most a minute, since they
    /// pass; a day of
    /// stale answers while the origin is down.
    /// </summary>
    public static CachingRule Default { get; } = new(
        null, 0.1, TimeSpan.FromDays(1), TimeSpan.FromMinutes(1), TimeSpan.FromDays(1), Store: true, Join: true, MaxObjectBytes: null);
}
