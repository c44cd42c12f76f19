using System.Net;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Exchanges;

/// <summary>One client's request of ordinary HTTP.</summary>
/// <param name="Target">What is asked for, and whom.</param>
/// <param name="Method">Method, case-sensitive.</param>
/// <param name="Fields">Its fields without those of the connection. Not to be changed.</param>
/// <param name="Rule">What the operator says of the URL.</param>
/// <param name="Client">Who asks; null: the proxy itself.</param>
/// <param name="External">What is asked for is an external file of CernVM-FS; null: it is ordinary HTTP.</param>
internal sealed record Exchange(
    ExchangeTarget Target, string Method, HeaderFields Fields, CachingRule Rule, IPAddress? Client, ExternalFile? External = null)
{
    /// <summary>What the request says of caches.</summary>
    public CacheDirectives Directives { get; } = CacheDirectives.Of(Fields);

    /// <summary>The SHA-256 of the content, where the URL itself names it; null: it does not.</summary>
    public byte[]? Digest { get; } = External is null && Method is "GET" or "HEAD"
        ? SelfNamed.DigestOf(CacheUri.Url(Target.Uri)) : null;

    /// <summary>Where <see cref="Digest"/> is named: does the request show a secret, so that its answer says nothing of others?</summary>
    public bool HasCredentials => SelfNamed.HasCredentials(CacheUri.Url(Target.Uri), Fields);

    /// <summary>
    /// May others get what this request fetches, and may it wait for what others fetch? Not what a password is needed for, what must not be
    /// kept, what must be
    /// checked for this client, and what asks for several parts at once.
    /// </summary>
    public bool MayShare => Rule.Join && Rule.Store && Method == "GET" && !Fields.Has("Authorization") && !Directives.Has("no-store")
        && (IsAnew || !Reuse.WantsValidation(Fields)) && !IsPeculiar && (Digest is null || !HasCredentials);

    /// <summary>
    /// A client of CernVM-FS that got wrong bytes asks again with <c>no-cache</c>: all of it is fetched anew, since a check of the
    /// validators would call the same bytes right.
    /// </summary>
    public bool IsAnew => External is not null && Method == "GET" && Reuse.WantsValidation(Fields);

    /// <summary>
    /// May another node of the site be asked for it? Only what may be shared, and only where the request shows nothing of who asks.
    /// </summary>
    public bool MayAskNodes => External is null && !Target.IsForNode && MayShare && !SelfNamed.HasCredentials("", Fields);

    /// <summary>It asks in a way that only the origin answers: several parts, or on condition that nothing has changed.</summary>
    public bool IsPeculiar => Fields.Has("If-Match") || Fields.Has("If-Unmodified-Since")
        || Fields.Joined("Range")?.Contains(',', StringComparison.Ordinal) == true;

    /// <summary>The fields to ask the origin for the whole, for everybody: without conditions, a range, and who the client is.</summary>
    public HeaderFields ForEverybody()
    {
        HeaderFields fields = WithoutConditions();
        fields.Remove("X-Forwarded-For");
        return fields;
    }

    /// <summary>The fields without what the client alone knows: what it has already, and which part it wants.</summary>
    public HeaderFields WithoutConditions()
    {
        HeaderFields fields = Fields.Copy();
        fields.Remove("Range");
        foreach (string name in Conditions.Names)
        {
            fields.Remove(name);
        }

        return fields;
    }
}
