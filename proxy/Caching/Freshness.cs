namespace Breakwater.Proxy.Caching;

/// <summary>How old an answer is, and for how long it is fresh (RFC 9111, 4.2). Pure.</summary>
internal static class Freshness
{
    private static readonly TimeSpan s_longestRedirect = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_longestRevocationList = TimeSpan.FromHours(1);

    /// <summary>
    /// The statuses that may be fresh without a stated lifetime (RFC 9110, 15.1). Not the redirects: where they lead may be signed for a
    /// short time.
    /// </summary>
    public static bool IsHeuristic(int status) => status is 200 or 203 or 204 or 206 or 300 or 404 or 405 or 410 or 414 or 501;

    /// <summary>Is it a redirect that names another place?</summary>
    public static bool IsRedirect(int status) => status is 301 or 302 or 303 or 307 or 308;

    /// <summary>For how long it is fresh, counted from its Date (4.2.1, 4.2.2).</summary>
    public static TimeSpan Lifetime(StoredHead head, CachingRule rule, DateTimeOffset now)
    {
        TimeSpan most = head.Status >= 400 ? rule.Negative : IsRedirect(head.Status) ? s_longestRedirect : TimeSpan.MaxValue;
        TimeSpan lifetime = Stated(head, now) ?? Heuristic(head, rule, now);
        return lifetime < most ? lifetime : most;
    }

    /// <summary>Does it state its lifetime itself?</summary>
    public static bool IsStated(HeaderFields fields, ResponsePolicy policy) => policy.MaxAge is not null || fields.Has("Expires");

    /// <summary>Its age (4.2.3). Never negative.</summary>
    public static TimeSpan Age(StoredHead head, DateTimeOffset now)
    {
        TimeSpan byWall = TimeSince(head.ReceivedAt, now);
        return AgeAtArrival(head, now) + (byWall > head.HereFor ? byWall : head.HereFor);
    }

    /// <summary>How old it was when it came: <c>corrected_initial_age</c>. Never negative.</summary>
    public static TimeSpan AgeAtArrival(StoredHead head, DateTimeOffset now)
    {
        TimeSpan apparent = head.ReceivedAt - (HttpDates.Parse(head.Fields.Only("Date"), now) ?? head.ReceivedAt);
        TimeSpan delay = head.ReceivedAt - head.RequestedAt;
        TimeSpan corrected = TimeSpan.FromSeconds(AgeField(head.Fields)) + (delay > TimeSpan.Zero ? delay : TimeSpan.Zero);
        TimeSpan initial = apparent > corrected ? apparent : corrected;
        return initial > TimeSpan.Zero ? initial : TimeSpan.Zero;
    }

    /// <summary>How long it has been here: <c>resident_time</c>. Never negative.</summary>
    public static TimeSpan TimeSince(DateTimeOffset receivedAt, DateTimeOffset now) =>
        now > receivedAt ? now - receivedAt : TimeSpan.Zero;

    /// <summary>Whole seconds for which it is yet fresh, as <c>Cache-Status</c> tells them (RFC 9211, 2.5); negative: stale.</summary>
    public static long SecondsLeft(TimeSpan lifetime, TimeSpan age) =>
        (long)Math.Floor(Math.Clamp((lifetime - age).TotalSeconds, -CacheDirectives.MaxSeconds, CacheDirectives.MaxSeconds));

    /// <summary>The first member of the first <c>Age</c> line in seconds; 0 where that is no number.</summary>
    public static long AgeField(HeaderFields fields)
    {
        string? first = fields.First("Age");
        return first is null ? 0 : CacheDirectives.SecondsOf(first.Split(',')[0].Trim(' ', '\t')) ?? 0;
    }

    private static TimeSpan? Stated(StoredHead head, DateTimeOffset now)
    {
        if (head.Policy.MaxAge is { } seconds)
        {
            return TimeSpan.FromSeconds(seconds);
        }

        if (!head.Fields.Has("Expires"))
        {
            return null;
        }

        // An Expires that is no date means already expired (5.3).
        return HttpDates.Parse(head.Fields.Only("Expires"), now) is { } expires && expires > DateOf(head, now)
            ? expires - DateOf(head, now) : TimeSpan.Zero;
    }

    private static TimeSpan Heuristic(StoredHead head, CachingRule rule, DateTimeOffset now)
    {
        if (IsRedirect(head.Status) || !(IsHeuristic(head.Status) || head.Policy.IsPublic))
        {
            return TimeSpan.Zero;
        }

        TimeSpan least = head.Status < 400 ? rule.MinFresh ?? TimeSpan.Zero : TimeSpan.Zero;
        DateTimeOffset date = DateOf(head, now);
        if (HttpDates.Parse(head.Fields.Only("Last-Modified"), now) is not { } changed || changed >= date)
        {
            return least;
        }

        TimeSpan share = (date - changed) * rule.HeuristicShare;
        TimeSpan most = IsRevocationList(head.Fields) && s_longestRevocationList < rule.MaxFresh ? s_longestRevocationList : rule.MaxFresh;
        share = share < most ? share : most;
        return share > least ? share : least;
    }

    private static bool IsRevocationList(HeaderFields fields) =>
        fields.First("Content-Type") is { } type && type.Split(';')[0].Trim().Equals(
            "application/pkix-crl", StringComparison.OrdinalIgnoreCase);

    private static DateTimeOffset DateOf(StoredHead head, DateTimeOffset now) =>
        HttpDates.Parse(head.Fields.Only("Date"), now) ?? head.ReceivedAt;
}
