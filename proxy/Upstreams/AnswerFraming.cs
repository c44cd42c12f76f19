using System.Globalization;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Does a head tell in one way only where its body ends (RFC 9112, 6.3)? Our HTTP client takes the first of several lengths, overlooks one
/// that is no number, and does not undo other transfer codings: what it then reads may look whole and be a part.
/// </summary>
internal static class AnswerFraming
{
    /// <summary>What is wrong with it; null: nothing.</summary>
    public static string? FaultOf(HttpResponseMessage message)
    {
        bool isCoded = message.Headers.NonValidated.TryGetValues("Transfer-Encoding", out var codings);
        bool hasLength = message.Content.Headers.NonValidated.TryGetValues("Content-Length", out var lengths);
        if (isCoded && (codings.Count != 1 || !codings.ToString().Trim().Equals("chunked", StringComparison.OrdinalIgnoreCase)))
        {
            return "answered with a transfer coding that was not asked for";
        }

        if (isCoded && hasLength)
        {
            return "answered with both a length and chunks";
        }

        if (hasLength)
        {
            long? length = message.Content.Headers.ContentLength;
            foreach (string value in lengths)
            {
                if (!long.TryParse(value.AsSpan().Trim(" \t"), NumberStyles.None, CultureInfo.InvariantCulture, out long one)
                    || one != length)
                {
                    return "answered with lengths that differ or are no number";
                }
            }
        }

        return null;
    }
}
