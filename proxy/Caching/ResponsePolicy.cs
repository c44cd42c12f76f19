using System.Diagnostics.CodeAnalysis;

namespace Breakwater.Proxy.Caching;

/// <summary>
/// What an answer says about keeping it, in one shape: targeted control where it is there (RFC 9213, 2.2), else <c>Cache-Control</c> (RFC
/// 9111, 5.2.2). Pure.
/// </summary>
internal sealed record ResponsePolicy
{
    /// <summary>It comes from targeted control: <c>Cache-Control</c> and <c>Expires</c> say nothing.</summary>
    public bool IsTargeted { get; init; }

    /// <summary>Not to be stored (5.2.2.5).</summary>
    public bool NoStore { get; init; }

    /// <summary>To be validated before each use (5.2.2.4).</summary>
    public bool NoCache { get; init; }

    /// <summary>For one user alone (5.2.2.7).</summary>
    public bool IsPrivate { get; init; }

    /// <summary>For everybody, whatever else would forbid it (5.2.2.9).</summary>
    public bool IsPublic { get; init; }

    /// <summary>Only for those who know the status (5.2.2.3).</summary>
    public bool MustUnderstand { get; init; }

    /// <summary>must-revalidate itself (5.2.2.2).</summary>
    public bool MustRevalidate { get; init; }

    /// <summary>Never to be used stale by a cache that many share: must-revalidate, proxy-revalidate, s-maxage.</summary>
    public bool NeverStale { get; init; }

    /// <summary>s-maxage is there (5.2.2.10).</summary>
    public bool HasSharedMaxAge { get; init; }

    /// <summary>Lifetime in seconds; null: none is given. One that is no number is 0.</summary>
    public long? MaxAge { get; init; }

    /// <summary>stale-while-revalidate in seconds (RFC 5861, 3); null: absent.</summary>
    public long? StaleWhileRevalidate { get; init; }

    /// <summary>stale-if-error in seconds (RFC 5861, 4); null: absent.</summary>
    public long? StaleIfError { get; init; }

    /// <summary>Fields that are not to be stored: those that <c>no-cache</c> or <c>private</c> name, in lower case.</summary>
    public IReadOnlyCollection<string> Omitted { get; init; } = [];

    /// <summary>Reads it off an answer's fields.</summary>
    public static ResponsePolicy Of(HeaderFields fields) =>
        TargetedControl.Of(fields) is { } targeted ? Of(targeted) : Of(CacheDirectives.Of(fields));

    private static ResponsePolicy Of(TargetedControl control)
    {
        bool isShared = control.Has("s-maxage");
        return new ResponsePolicy
        {
            IsTargeted = true,
            NoStore = control.Has("no-store"),
            NoCache = control.Has("no-cache"),
            IsPrivate = control.Has("private"),
            IsPublic = control.Has("public"),
            MustUnderstand = control.Has("must-understand"),
            MustRevalidate = control.Has("must-revalidate"),
            NeverStale = control.Has("must-revalidate") || control.Has("proxy-revalidate") || isShared,
            HasSharedMaxAge = isShared,
            MaxAge = control.Seconds("s-maxage") ?? control.Seconds("max-age"),
            StaleWhileRevalidate = control.Seconds("stale-while-revalidate"),
            StaleIfError = control.Seconds("stale-if-error"),
        };
    }

    [SuppressMessage("Globalization", "CA1308", Justification = "Field names are compared in lower case.")]
    private static ResponsePolicy Of(CacheDirectives directives)
    {
        bool isShared = directives.Has("s-maxage");
        var omitted = new List<string>();
        foreach (string name in (string[])["no-cache", "private"])
        {
            if (directives.Argument(name) is { Length: > 0 } list)
            {
                omitted.AddRange(list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(n =>
                    n.ToLowerInvariant()));
            }
        }

        return new ResponsePolicy
        {
            NoStore = directives.Has("no-store"),
            NoCache = directives.IsBare("no-cache"),
            IsPrivate = directives.IsBare("private"),
            IsPublic = directives.Has("public"),
            MustUnderstand = directives.Has("must-understand"),
            MustRevalidate = directives.Has("must-revalidate"),
            NeverStale = directives.Has("must-revalidate") || directives.Has("proxy-revalidate") || isShared,
            HasSharedMaxAge = isShared,
            MaxAge = isShared ? directives.Seconds("s-maxage") ?? 0 : directives.Has("max-age") ? directives.Seconds("max-age") ?? 0 : null,
            StaleWhileRevalidate = directives.Seconds("stale-while-revalidate"),
            StaleIfError = directives.Seconds("stale-if-error"),
            Omitted = omitted,
        };
    }
}
