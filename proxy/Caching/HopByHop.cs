namespace Breakwater.Proxy.Caching;

/// <summary>Fields that belong to one connection and are neither stored nor passed on (RFC 9110, 7.6.1; RFC 9111, 3.1). Pure.</summary>
internal static class HopByHop
{
    private static readonly HashSet<string> s_names = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization", "Proxy-Connection", "TE",
        "Trailer",
        "Transfer-Encoding", "Upgrade",
    };

    /// <summary>A copy without them, and without those that <c>Connection</c> names.</summary>
    public static HeaderFields Without(HeaderFields fields)
    {
        var named = fields.Tokens("Connection").ToHashSet(StringComparer.OrdinalIgnoreCase); // either may be thousands
        var kept = new HeaderFields();
        foreach ((string name, string value) in fields)
        {
            if (!s_names.Contains(name) && !named.Contains(name))
            {
                kept.Add(name, value);
            }
        }

        return kept;
    }
}
