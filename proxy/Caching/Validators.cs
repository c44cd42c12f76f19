namespace Breakwater.Proxy.Caching;

/// <summary>What tells two generations of a body apart (RFC 9110, 8.8). Pure.</summary>
internal static class Validators
{
    /// <summary>A change within this time of its Date may have been followed by another (RFC 9110, 8.8.2.2).</summary>
    private static readonly TimeSpan s_settled = TimeSpan.FromSeconds(60);

    /// <summary>The validator that makes two equal bodies equal byte by byte, as <c>If-Range</c> wants it; null: there is none.</summary>
    public static string? Strong(HeaderFields answer, DateTimeOffset now)
    {
        if (answer.Has("ETag"))
        {
            return answer.Only("ETag") is { } tag && IsTag(tag) && !IsWeak(tag) ? tag : null;
        }

        return answer.Only("Last-Modified") is { } text && HttpDates.Parse(text, now) is { } changed
            && HttpDates.Parse(answer.Only("Date"), now) is { } date && date - changed >= s_settled ? text : null;
    }

    /// <summary>Has it any validator by which it can be checked with the origin?</summary>
    public static bool HasAny(HeaderFields answer) => answer.Has("ETag") || answer.Has("Last-Modified");

    /// <summary>Are both the same tag, weak or not (RFC 9110, 8.8.3.2)?</summary>
    public static bool AreSameTag(string one, string other) => Opaque(one).Equals(Opaque(other), StringComparison.Ordinal);

    /// <summary>Is it a weak tag?</summary>
    public static bool IsWeak(string tag) => tag.StartsWith("W/", StringComparison.Ordinal);

    private static bool IsTag(string text) => text.Length >= 2 && text[^1] == '"'
        && (text[0] == '"' || (text.StartsWith("W/\"", StringComparison.Ordinal) && text.Length >= 4));

    private static string Opaque(string tag) => IsWeak(tag) ? tag[2..] : tag;
}
