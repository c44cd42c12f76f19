using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Headers;

namespace Breakwater.Proxy.Documents;

/// <summary>
/// The one field of a Stratum 1's answer whose text is kept and sent on. What is no media type (RFC 9110, 8.3.1), or is absurdly long, is
/// refused where it arrives: sent on, it would be an error for every client, or a field of the sender's choice.
/// </summary>
internal static class ContentTypeField
{
    /// <summary>What a Stratum 1 says of a document; taken when it says nothing.</summary>
    public const string Default = "application/x-cvmfs";

    /// <summary>Longest that is taken: both paths can send it.</summary>
    public const int MaxLength = 256;

    private static readonly SearchValues<char> s_allowed =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c)]);

    /// <summary>Reads the field. False: it is there and bad, or there more than once.</summary>
    public static bool TryRead(HttpContent content, [NotNullWhen(true)] out string? type)
    {
        type = Default;
        if (!content.Headers.NonValidated.TryGetValues("Content-Type", out HeaderStringValues values))
        {
            return true;
        }

        type = values.Count == 1 ? values.ToString().Trim(' ', '\t') : "";
        return IsValid(type);
    }

    /// <summary>A type that was kept by an older version, or came in a bundle.</summary>
    public static string OrDefault(string? type) => type is not null && IsValid(type) ? type : Default;

    private static bool IsValid(string type) =>
        type.Length is > 0 and <= MaxLength && !type.AsSpan().ContainsAnyExcept(s_allowed) && MediaTypeHeaderValue.TryParse(type, out _);
}
