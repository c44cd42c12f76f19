using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.Caching;
using Breakwater.Proxy.Tests.Exchanges;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Serving;

/// <summary>Heads of ordinary HTTP: the origin's fields, and what this cache adds or takes out.</summary>
public sealed class ExchangeHeadsTests
{
    private readonly FakeTimeProvider _time = new(Headers.Now);
    private readonly DefaultHttpContext _context = new();
    private readonly RequestOutcome _outcome = new();
    private readonly ExchangeHeads _heads;

    public ExchangeHeadsTests() => _heads = new ExchangeHeads(new ProxyOptions { Name = "p" }, _time);

    private IHeaderDictionary Fields => _context.Response.Headers;

    /// <summary>An answer that came just now tells no age unless it had one.</summary>
    [Theory]
    [InlineData("X: y", "Fetched", 0, null)]
    [InlineData("X: y", "Fetched", 1, "1")]
    [InlineData("Age: 0", "Fetched", 0, "0")]
    [InlineData("Age: 5", "Fetched", 0, "5")]
    [InlineData("X: y", "Hit", 0, "0")]
    [InlineData("X: y", "Joined", 0, "0")]
    public void WriteStored_TellsAnAgeWhereThereIsOne(string fields, string origin, int seconds, string? age)
    {
        StoredHead head = Headers.Stored(fields + "|Cache-Control: max-age=60");
        Write(head, new ExchangeAnswer { Origin = Enum.Parse<AnswerOrigin>(origin), ForwardedStatus = 200 }, "", seconds);

        Assert.Equal(age, (string?)Fields.Age);
        Assert.Equal(_time.GetTimestamp(), _outcome.AnsweredAt);
    }

    [Theory]
    [InlineData("Hit", null, "p; hit; ttl=60")]
    [InlineData("Joined", "uri-miss", "p; fwd=uri-miss; fwd-status=200; ttl=60; collapsed")]
    [InlineData("StaleOnError", "stale", "p; fwd=stale; fwd-status=200; ttl=60; detail=stale-if-error")]
    [InlineData("Fetched", null, "p; fwd=bypass; fwd-status=200; ttl=60")]
    public void WriteStored_SaysHowItIsAnswered(string origin, string? forwarded, string status)
    {
        var answer = new ExchangeAnswer { Origin = Enum.Parse<AnswerOrigin>(origin), Forwarded = forwarded, ForwardedStatus = 200 };
        Write(Headers.Stored("Cache-Control: max-age=60"), answer, "", 0);

        Assert.Equal((status, "1.1 p"), ((string?)Fields["Cache-Status"], (string?)Fields.Via));
    }

    [Theory]
    [InlineData("", 200, 10L, null, "text/plain", "Fine")]
    [InlineData("Range: bytes=2-4", 206, 3L, "bytes 2-4/10", "text/plain", null)]
    [InlineData("Range: bytes=10-", 416, 0L, "bytes */10", null, null)]
    [InlineData("If-None-Match: \"a\"", 304, null, null, null, null)]
    public void WriteStored_AsTheRequestWantsIt_HasTheFieldsOfThat(
        string request, int status, long? length, string? range, string? type, string? reason)
    {
        StoredHead head = Headers.Stored("ETag: \"a\"|Content-Type: text/plain|Content-Length: 10|X: 1|X: 2") with { Reason = "Fine" };
        Write(head, new ExchangeAnswer { Origin = AnswerOrigin.Hit }, request, 0);

        Assert.Equal((status, length, range, type),
            (_context.Response.StatusCode, _context.Response.ContentLength, (string?)Fields.ContentRange, (string?)Fields.ContentType));
        Assert.Equal(("1,2", "\"a\"", reason), (Fields["X"].ToString(), (string?)Fields.ETag, Reason()));
        Assert.Equal(status == 200 ? "bytes" : null, (string?)Fields.AcceptRanges);
    }

    /// <summary>What has no body tells no length, but the length that a HEAD was told is passed on.</summary>
    [Theory]
    [InlineData("GET", 200, "Content-Length: 3", 3L)]
    [InlineData("GET", 200, "X: y", 3L)]
    [InlineData("HEAD", 200, "Content-Length: 3", 3L)]
    [InlineData("HEAD", 200, "X: y", null)]
    [InlineData("GET", 204, "Content-Length: 3", null)]
    [InlineData("GET", 304, "Content-Length: 3", null)]
    [InlineData("HEAD", 304, "Content-Length: 3", null)]
    [InlineData("GET", 404, "Content-Length: 3", 3L)]
    public void WriteLive_TellsALengthWhereThereIsABody(string method, int status, string fields, long? length)
    {
        using FetchedAnswer live = Answers.Of(fields + "|X: 1", status, length: 3);
        Exchange exchange = Answers.Exchange() with { Method = method };
        var answer = new ExchangeAnswer { Forwarded = "uri-miss", ForwardedStatus = status };
        _heads.WriteLive(_context.Response, exchange, answer, live, _outcome);

        Assert.Equal((status, length), (_context.Response.StatusCode, _context.Response.ContentLength));
        Assert.Equal($"p; fwd=uri-miss; fwd-status={status}", (string?)Fields["Cache-Status"]);
        Assert.Equal(live.Reason, Reason());
    }

    private string? Reason() => _context.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase;

    private void Write(StoredHead head, ExchangeAnswer answer, string request, int seconds)
    {
        DateTimeOffset now = Headers.Now.AddSeconds(seconds);
        _heads.WriteStored(
            _context.Response, Answers.Exchange(fields: request), answer, head, AnswerShape.Of(head, Headers.OfText(request), now), now,
            _outcome);
    }
}
