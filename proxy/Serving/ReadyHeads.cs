using System.Globalization;
using System.Text;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Settings;
using Microsoft.Extensions.Primitives;

namespace Breakwater.Proxy.Serving;

/// <summary>
/// Makes answers that the ordinary way gives ready for the event loops. Their heads are taken from the response itself, so that the loops
/// send the same fields in the order in which Kestrel sends them.
/// </summary>
internal sealed class ReadyHeads(ReadyAnswers answers, ProxyOptions options)
{
    private readonly string _hit = $"{options.Name}; hit; ttl=";

    /// <summary>The head of a stored answer was written for a GET: makes it ready, if it is a kind that the loops give.</summary>
    /// <param name="response">Its head; not sent yet.</param>
    /// <param name="exchange">The request.</param>
    /// <param name="head">The stored answer.</param>
    /// <param name="request">How it was asked for.</param>
    /// <param name="now">The time that the response tells.</param>
    public void Offer(HttpResponse response, Exchange exchange, StoredHead head, ReadyRequest request, DateTimeOffset now)
    {
        if (response.StatusCode == StatusCodes.Status200OK && head.Reason is null or "OK" && answers.Wants(exchange, head, request, now)
            && TakeApart(response.Headers) is { } pieces)
        {
            answers.Put(exchange, head, request, pieces, now);
        }
    }

    /// <summary>
    /// The head as Kestrel writes it: the length first, the other fields as they are enumerated, a line for each value. Null: too long, or
    /// not as expected.
    /// </summary>
    private ReadyHead? TakeApart(IHeaderDictionary fields)
    {
        var text = new StringBuilder("HTTP/1.1 200 OK\r\nContent-Length: ");
        text.Append(CultureInfo.InvariantCulture, $"{fields.ContentLength}");
        string? beforeAge = null;
        string? beforeTtl = null;
        foreach ((string name, StringValues values) in fields)
        {
            if (Is(name, "Content-Length"))
            {
                continue;
            }

            for (int i = 0; i < values.Count; i++)
            {
                text.Append("\r\n").Append(name).Append(": ");
                if (beforeAge is null && Is(name, "Age"))
                {
                    beforeAge = Cut(text);
                }
                else if (beforeAge is not null && i == values.Count - 1 && Is(name, "Cache-Status")
                    && values[i]!.StartsWith(_hit, StringComparison.Ordinal))
                {
                    text.Append(_hit);
                    beforeTtl = Cut(text);
                }
                else
                {
                    text.Append(values[i]);
                }
            }
        }

        text.Append("\r\n\r\n");
        bool isAsExpected = beforeAge is not null && beforeTtl is not null && fields.ContentLength is not null
            && fields.Date.Count > 0 && fields.Connection.Count == 0;
        return isAsExpected && beforeAge!.Length + beforeTtl!.Length + text.Length <= ReadyHead.MaxBytes
            ? new ReadyHead(Bytes(beforeAge), Bytes(beforeTtl), Bytes(text.ToString()))
            : null;
    }

    private static bool Is(string name, string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);

    private static string Cut(StringBuilder text)
    {
        string cut = text.ToString();
        text.Clear();
        return cut;
    }

    /// <summary>Bytes from 0x80 on pass as they came.</summary>
    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}
