namespace Breakwater.Proxy.Caching;

/// <summary>May a stored answer be used for a request (RFC 9111, 4)? Pure.</summary>
internal static class Reuse
{
    /// <summary>Judges a stored answer that matches by URI and Vary.</summary>
    public static Verdict Judge(StoredHead head, HeaderFields request, CachingRule rule, DateTimeOffset now)
    {
        ResponsePolicy policy = head.Policy;
        CacheDirectives asked = CacheDirectives.Of(request);
        TimeSpan age = Freshness.Age(head, now);
        TimeSpan lifetime = Freshness.Lifetime(head, rule, now);
        TimeSpan staleness = age - lifetime;
        if (asked.Has("no-store") || policy.NoCache || WantsValidation(request, asked))
        {
            return Verdict.Validate;
        }

        bool isYoungEnough = asked.Seconds("max-age") is not { } most || age <= TimeSpan.FromSeconds(most);
        bool staysFresh = asked.Seconds("min-fresh") is not { } least || -staleness >= TimeSpan.FromSeconds(least);
        if (staleness < TimeSpan.Zero)
        {
            return isYoungEnough && staysFresh ? Verdict.Fresh : Verdict.Validate;
        }

        if (policy.NeverStale)
        {
            return Verdict.Validate;
        }

        // max-stale widens the lifetime; an age that the request itself limits stays a limit unless max-stale names more.
        if (asked.Has("max-stale") && (asked.IsBare("max-stale")
            || (asked.Seconds("max-stale") is { } allowed && staleness <= TimeSpan.FromSeconds(allowed)))
            && isYoungEnough)
        {
            return Verdict.StaleAllowed;
        }

        return policy.StaleWhileRevalidate is { } window && staleness < TimeSpan.FromSeconds(window) && isYoungEnough && staysFresh
            ? Verdict.StaleWhileRevalidate
            : Verdict.Validate;
    }

    /// <summary>Does the request want an answer that was checked just now (5.2.1.4, 5.4)?</summary>
    public static bool WantsValidation(HeaderFields request) => WantsValidation(request, CacheDirectives.Of(request));

    /// <summary>
    /// May it be used though the origin fails (4.2.4; RFC 5861, 4)? Where the answer says how long itself, that is a limit as well:
    /// Frontier's
    /// <c>stale-if-error=1</c> means an error rather than an old answer.
    /// </summary>
    public static bool MayServeOnError(StoredHead head, HeaderFields request, CachingRule rule, DateTimeOffset now)
    {
        ResponsePolicy policy = head.Policy;
        if (policy.NeverStale || policy.NoCache || WantsValidation(request))
        {
            return false;
        }

        TimeSpan staleness = Freshness.Age(head, now) - Freshness.Lifetime(head, rule, now);
        TimeSpan allowed = policy.StaleIfError is { } seconds ? TimeSpan.FromSeconds(seconds) : rule.StaleIfError;
        return staleness <= allowed && allowed > TimeSpan.Zero;
    }

    private static bool WantsValidation(HeaderFields request, CacheDirectives asked) =>
        asked.Has("no-cache") || (!request.Has("Cache-Control") && request.Tokens("Pragma").Contains("no-cache"));
}
