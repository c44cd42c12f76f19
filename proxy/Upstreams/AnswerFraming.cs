using System.Globalization;
using System.Net.Http.Headers;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Does a head tell in one way only where its body ends (RFC 9112, 6.3)? Our HTTP client takes the first of several lengths, overlooks one
/// that is no number, and does not undo other transfer codings: what it then reads may look whole and be a part. And has it no more fields
/// than an answer has? Each of them is looked for, compared and sent again with every hit.
/// </summary>
internal static class AnswerFraming
{
    /// <summary>Lines that a head may have; those of real answers have 60 at most. A head of 64 KiB could have 10,000.</summary>
    private const int MostFields = 256;

    /// <summary>What is wrong with it; null: nothing.</summary>
    public static string? FaultOf(HttpResponseMessage message)
    {
        bool isCoded = message.Headers.NonValidated.TryGetValues("Transfer-Encoding", out var codings);
        bool hasLength = message.Content.Headers.NonValidated.TryGetValues("Content-Length", out var lengths);
        if (isCoded && (codings.Count != 1 || !codings.ToString().Trim().Equals("chunked", StringComparison.OrdinalIgnoreCase)))
        {
            return "answered with a transfer coding that was not asked for";
        }

        if (Lines(message.Headers.NonValidated) + Lines(message.Content.Headers.NonValidated) > MostFields)
        {
            return "answered with more fields than any answer has";
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

    private static int Lines(HttpHeadersNonValidated fields)
    {
        int lines = 0;
        foreach (var field in fields)
        {
            lines += field.Value.Count;
        }

        return lines;
    }
}
