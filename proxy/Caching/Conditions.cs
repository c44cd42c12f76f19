namespace Breakwater.Proxy.Caching;

/// <summary>A client's conditions, answered from what is stored (RFC 9111, 4.3.2; RFC 9110, 13). Pure.</summary>
internal static class Conditions
{
    /// <summary>Fields by which a request asks only if something changed.</summary>
    public static readonly string[] Names = ["If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range"];

    /// <summary>May a 304 be the answer to a GET or HEAD with these fields?</summary>
    public static bool AllowNotModified(HeaderFields request) => request.Has("If-None-Match") || request.Has("If-Modified-Since");

    /// <summary>Does the client have what is stored, so that it gets a 304?</summary>
    public static bool IsNotModified(StoredHead head, HeaderFields request, DateTimeOffset now)
    {
        if (head.Status is not 200 and not 206)
        {
            return false;
        }

        if (request.Joined("If-None-Match") is { } list)
        {
            return list.Trim() == "*" || (head.Fields.First("ETag") is { } tag
                && Tags(list).Exists(one => Validators.AreSameTag(one, tag)));
        }

        if (HttpDates.Parse(request.Only("If-Modified-Since"), now) is not { } since)
        {
            return false;
        }

        DateTimeOffset changed = HttpDates.Parse(head.Fields.Only("Last-Modified"), now) ?? HttpDates.Parse(head.Fields.Only("Date"), now)
            ?? head.ReceivedAt;
        return changed <= since;
    }

    /// <summary>Does the request's range apply to what is stored (RFC 9110, 13.1.5)? True where it has no <c>If-Range</c>.</summary>
    public static bool RangeApplies(StoredHead head, HeaderFields request, DateTimeOffset now)
    {
        if (request.Only("If-Range") is not { } condition)
        {
            return !request.Has("If-Range");
        }

        if (condition.StartsWith('"'))
        {
            return head.Fields.Only("ETag") is { } tag && !Validators.IsWeak(tag) && tag.Equals(condition, StringComparison.Ordinal);
        }

        return HttpDates.Parse(condition, now) is { } date && HttpDates.Parse(head.Fields.Only("Last-Modified"), now) == date;
    }

    /// <summary>The tags of a list; a comma may stand in a quoted one.</summary>
    public static List<string> Tags(string list)
    {
        var tags = new List<string>();
        int start = 0;
        bool isQuoted = false;
        for (int i = 0; i <= list.Length; i++)
        {
            if (i < list.Length && list[i] == '"')
            {
                isQuoted = !isQuoted;
            }
            else if (i == list.Length || (list[i] == ',' && !isQuoted))
            {
                if (list[start..i].Trim() is { Length: > 0 } tag)
                {
                    tags.Add(tag);
                }

                start = i + 1;
            }
        }

        return tags;
    }
}
