using System.Globalization;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Microsoft.AspNetCore.Http.Features;

namespace Breakwater.Proxy.Serving;

/// <summary>The heads of answers of ordinary HTTP: the origin's fields, and what this cache adds.</summary>
internal sealed class ExchangeHeads(ProxyOptions options, TimeProvider time)
{
    /// <summary>What an answer without a body does not describe (RFC 9110, 15.4.5).</summary>
    private static readonly HashSet<string> s_ofBody = new(StringComparer.OrdinalIgnoreCase)
    {
        "Content-Encoding", "Content-Language", "Content-Length", "Content-MD5", "Content-Range", "Content-Type", "Accept-Ranges",
            "Set-Cookie",
    };

    private readonly string _via = $"1.1 {options.Name}";

    /// <summary>Writes the head of a stored answer.</summary>
    public void WriteStored(
        HttpResponse response, Exchange exchange, ExchangeAnswer answer, StoredHead head, AnswerShape shape, DateTimeOffset now,
            RequestOutcome outcome)
    {
        bool isWhole = shape.Status == head.Status;
        Begin(response, shape.Status, isWhole ? head.Reason : null, outcome);
        foreach ((string name, string value) in head.Fields)
        {
            bool isReplaced = Is(name, "Content-Length") || Is(name, "Age")
                || (!isWhole && (Is(name, "Content-Range") || (shape.Status != StatusCodes.Status206PartialContent
                    && s_ofBody.Contains(name))));
            if (!isReplaced)
            {
                response.Headers.Append(name, value);
            }
        }

        WriteLength(response, head, shape);
        TimeSpan age = Freshness.Age(head, now);
        if (answer.Origin != AnswerOrigin.Fetched || age >= TimeSpan.FromSeconds(1) || head.Fields.Has("Age"))
        {
            response.Headers.Age = ((long)age.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }

        TimeSpan lifetime = Freshness.Lifetime(head, exchange.Rule, now);
        long ttl = Freshness.SecondsLeft(lifetime, age);
        string status = answer.Origin == AnswerOrigin.Hit ? "; hit" : Forwarded(answer);
        string collapsed = answer.Origin == AnswerOrigin.Joined ? "; collapsed" : "";
        string detail = answer.Origin == AnswerOrigin.StaleOnError ? "; detail=stale-if-error" : "";
        End(response, string.Create(CultureInfo.InvariantCulture, $"{status}; ttl={ttl}{collapsed}{detail}"));
    }

    /// <summary>Writes the head of an answer for one client alone.</summary>
    public void WriteLive(HttpResponse response, Exchange exchange, ExchangeAnswer answer, FetchedAnswer live, RequestOutcome outcome)
    {
        Begin(response, live.Status, live.Reason, outcome);
        foreach ((string name, string value) in live.Fields)
        {
            if (!Is(name, "Content-Length"))
            {
                response.Headers.Append(name, value);
            }
        }

        bool mayTellLength = live.Status is not (StatusCodes.Status204NoContent or StatusCodes.Status304NotModified);
        response.ContentLength = mayTellLength && (exchange.Method != "HEAD" || live.Fields.Has("Content-Length")) ? live.Length : null;
        End(response, Forwarded(answer));
    }

    private static void WriteLength(HttpResponse response, StoredHead head, AnswerShape shape)
    {
        switch (shape.Status)
        {
            case StatusCodes.Status304NotModified:
            case StatusCodes.Status204NoContent:
                return;
            case StatusCodes.Status206PartialContent:
                response.Headers.ContentRange = new ContentRange(
                    shape.Offset, shape.Offset + shape.Count!.Value - 1, head.Length).ToString();
                response.ContentLength = shape.Count;
                return;
            case StatusCodes.Status416RangeNotSatisfiable when head.Status != shape.Status:
                response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{head.Length}");
                response.ContentLength = 0;
                return;
            default:
                response.ContentLength = head.Length;
                if (head.Status == StatusCodes.Status200OK && head.Length is not null && !head.Fields.Has("Accept-Ranges"))
                {
                    response.Headers.AcceptRanges = "bytes";
                }

                return;
        }
    }

    private void Begin(HttpResponse response, int status, string? reason, RequestOutcome outcome)
    {
        outcome.AnsweredAt = time.GetTimestamp();
        response.StatusCode = status;
        if (!string.IsNullOrEmpty(reason))
        {
            response.HttpContext.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = reason;
        }
    }

    private void End(HttpResponse response, string cacheStatus)
    {
        response.Headers.Append("Via", _via);
        response.Headers.Append("Cache-Status", $"{options.Name}{cacheStatus}");
    }

    private static string Forwarded(ExchangeAnswer answer)
    {
        string status = answer.ForwardedStatus is { } code ? string.Create(CultureInfo.InvariantCulture, $"; fwd-status={code}") : "";
        return $"; fwd={answer.Forwarded ?? "bypass"}{status}{(answer.IsStored ? "; stored" : "")}";
    }

    private static bool Is(string name, string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);
}
