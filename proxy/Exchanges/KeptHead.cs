using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Exchanges;

/// <summary>Makes the heads that are kept, and the questions that check them. Pure but for random identities.</summary>
internal static class KeptHead
{
    /// <summary>The head of an answer as it is kept.</summary>
    /// <param name="exchange">What was asked.</param>
    /// <param name="answer">What came.</param>
    /// <param name="isPart">It is a part; the head is that of the whole.</param>
    /// <param name="length">Bytes of the whole; null: not known yet.</param>
    /// <param name="generation">The name of its generation; null: nothing tells it from another.</param>
    public static StoredHead Of(Exchange exchange, FetchedAnswer answer, bool isPart, long? length, string? generation)
    {
        HeaderFields kept = Storability.Kept(answer.Fields, ResponsePolicy.Of(answer.Fields));
        if (isPart)
        {
            kept.Remove("Content-Range");
            kept.Remove("Content-Length");
        }

        IReadOnlyList<KeyValuePair<string, string?>> vary = VaryKey.Of(answer.Fields, exchange.Fields);
        return new StoredHead
        {
            Status = isPart ? StatusCodes.Status200OK : answer.Status,
            Reason = isPart ? null : answer.Reason,
            Fields = kept,
            VaryValues = vary,
            RequestedAt = answer.RequestedAt,
            ReceivedAt = answer.ReceivedAt,
            Length = length,
            Source = exchange.External is null ? null : answer.Upstream,
            BodyId = length == 0 ? [] : length is { } known && generation is not null && !exchange.IsAnew
                ? BodyNames.Of(exchange.Target.Uri, vary, generation, known)
                : BodyNames.Random(),
        };
    }

    /// <summary>Asks whether what is stored is still so.</summary>
    public static void AddValidators(HeaderFields ask, StoredHead stored)
    {
        if (stored.Fields.First("ETag") is { } tag)
        {
            ask.Set("If-None-Match", tag);
        }

        if (stored.Fields.Only("Last-Modified") is { } changed)
        {
            ask.Set("If-Modified-Since", changed);
        }
    }
}
