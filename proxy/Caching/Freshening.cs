namespace Breakwater.Proxy.Caching;

/// <summary>What a 304 changes in the answer that it confirms (RFC 9111, 3.2 and 4.3.4). Pure.</summary>
internal static class Freshening
{
    /// <summary>Fields that describe the stored body, which a 304 does not bring anew.</summary>
    private static readonly HashSet<string> s_kept = new(StringComparer.OrdinalIgnoreCase)
    {
        "Content-Length", "Content-Encoding", "Content-Type", "Content-Range", "ETag",
    };

    /// <summary>
    /// The stored answer with the fields of the 304; all lines of a field that it has take the place of all that were stored.
    /// </summary>
    public static StoredHead Update(StoredHead head, HeaderFields notModified, DateTimeOffset requestedAt, DateTimeOffset receivedAt)
    {
        HeaderFields updates = Storability.Kept(notModified, ResponsePolicy.Of(notModified));
        HeaderFields fields = head.Fields.Copy();

        // They are about the way that the stored answer came.
        fields.Remove("Age");
        fields.Remove("Warning");
        fields.Remove([.. updates.Select(line => line.Key).Where(name => !s_kept.Contains(name))]);
        foreach ((string name, string value) in updates)
        {
            if (!s_kept.Contains(name))
            {
                fields.Add(name, value);
            }
        }

        return head with
        {
            Fields = fields,
            RequestedAt = requestedAt,
            ReceivedAt = receivedAt,
            Arrival = null,
            HereFor = TimeSpan.Zero,
        };
    }
}
