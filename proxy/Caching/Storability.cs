namespace Breakwater.Proxy.Caching;

/// <summary>May an answer to a GET be stored (RFC 9111, 3)? Pure.</summary>
internal static class Storability
{
    /// <summary>Statuses whose meaning for a cache is known here (5.2.2.3).</summary>
    public static bool IsUnderstood(int status) =>
        status is 200 or 203 or 204 or 206 or 300 or 301 or 302 or 303 or 307 or 308
            or 400 or 404 or 405 or 410 or 414 or 500 or 501 or 502 or 503 or 504;

    /// <summary>May it be stored?</summary>
    /// <param name="request">Fields of the request.</param>
    /// <param name="status">Status of the answer.</param>
    /// <param name="answer">Fields of the answer.</param>
    /// <param name="rule">What the operator says.</param>
    public static bool MayStore(HeaderFields request, int status, HeaderFields answer, CachingRule rule)
    {
        if (status is < 200 or 304 || !rule.Store || CacheDirectives.Of(request).Has("no-store"))
        {
            return false;
        }

        ResponsePolicy policy = ResponsePolicy.Of(answer);
        bool isForbidden = policy.MustUnderstand ? !IsUnderstood(status) : policy.NoStore;
        if (isForbidden || policy.IsPrivate || VaryKey.NamesAll(answer))
        {
            return false;
        }

        // 3.5: what a password was needed for is for everybody only where the origin says so.
        if (request.Has("Authorization") && !(policy.IsPublic || policy.MustRevalidate || policy.HasSharedMaxAge))
        {
            return false;
        }

        bool isStated = Freshness.IsStated(answer, policy);
        if (Freshness.IsRedirect(status) || answer.Has("Set-Cookie"))
        {
            // A redirect may lead to a place that is signed for a short time; a cookie may be one user's.
            return isStated;
        }

        return isStated || policy.IsPublic || Freshness.IsHeuristic(status);
    }

    /// <summary>
    /// The fields that are kept: without those of the connection (3.1) and those that the answer forbids (5.2.2.4, 5.2.2.7).
    /// </summary>
    public static HeaderFields Kept(HeaderFields answer, ResponsePolicy policy)
    {
        HeaderFields kept = HopByHop.Without(answer);
        kept.Remove(policy.Omitted);
        return kept;
    }
}
