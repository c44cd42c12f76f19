using System.Text;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.Caching;
using Breakwater.Proxy.Tests.Exchanges;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Serving;

/// <summary>Heads that the ordinary way has written, taken apart for the event loops.</summary>
public sealed class ReadyHeadsTests : IClassFixture<SliceStore>
{
    private const string Hit = "p; hit; ttl=60";
    private readonly string _host = $"{Guid.NewGuid()}.example.org";
    private readonly FakeTimeProvider _time = new(Headers.Now);
    private readonly HeadShelf _heads;
    private readonly ReadyAnswers _answers;
    private readonly ReadyHeads _ready;
    private readonly HttpResponse _response = new DefaultHttpContext().Response;
    private readonly StoredHead _head = Headers.Stored("Cache-Control: max-age=600");

    public ReadyHeadsTests(SliceStore store)
    {
        _heads = new HeadShelf(store.Named, _time);
        _answers = new ReadyAnswers(
            new HttpPolicy(new HttpOptions()), new DestinationAccess(["*.example.org"]), _heads, new FlightTable(_time), store.Named,
            _time);
        _ready = new ReadyHeads(_answers, new ProxyOptions { Name = "p" });
        _response.ContentLength = 10;
    }

    /// <summary>A line for each value; age and lifetime are left out, to be told anew each time.</summary>
    [Fact]
    public void Offer_AStoredAnswer_IsItsHeadWithoutWhatChanges()
    {
        ReadyHead? head = Offer(("Date", "d"), ("X", new(["1", "2"])), ("Age", "5"), ("Via", "1.1 p"),
            ("Cache-Status", new(["other; hit; ttl=7", Hit])), ("Y", "\u00e9"));

        Assert.Equal(
            ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nDate: d\r\nX: 1\r\nX: 2\r\nAge: ",
            "\r\nVia: 1.1 p\r\nCache-Status: other; hit; ttl=7\r\nCache-Status: p; hit; ttl=", "\r\nY: \u00e9\r\n\r\n"),
            (Text(head?.BeforeAge), Text(head?.BeforeTtl), Text(head?.AfterTtl)));
    }

    [Theory]
    [InlineData("Date: d|Age: 5|Cache-Status: " + Hit, true)]
    [InlineData("Age: 5|Cache-Status: " + Hit, false)]
    [InlineData("Date: d|Cache-Status: " + Hit, false)]
    [InlineData("Date: d|Age: 5", false)]
    [InlineData("Date: d|Cache-Status: " + Hit + "|Age: 5", false)] // in another order than it is sent
    [InlineData("Date: d|Age: 5|Cache-Status: q; hit; ttl=60", false)]
    [InlineData("Date: d|Age: 5|Cache-Status: p; fwd=stale", false)]
    [InlineData("Date: d|Age: 5|Connection: close|Cache-Status: " + Hit, false)]
    public void Offer_AHeadThatIsNotAsExpected_IsNotReady(string fields, bool isReady) => Assert.Equal(
        isReady, Offer([.. Headers.OfText(fields).Select(field => (field.Key, new StringValues(field.Value)))]) is not null);

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void Offer_ALongHead_IsReadyUpToABound(int more, bool isReady)
    {
        int rest = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nDate: d\r\nX: \r\nAge: \r\nCache-Status: p; hit; ttl=\r\n\r\n".Length;
        string wide = new('x', ReadyHead.MaxBytes - rest + more);

        Assert.Equal(isReady, Offer(("Date", "d"), ("X", wide), ("Age", "5"), ("Cache-Status", Hit)) is not null);
    }

    [Fact]
    public void Offer_WhatIsNoPlain200_IsNotReady()
    {
        (string, StringValues)[] fields = [("Date", "d"), ("Age", "5"), ("Cache-Status", Hit)];
        _response.StatusCode = 206;
        Assert.Null(Offer(fields));
        _response.StatusCode = 200;
        Assert.Null(Offer(_head with { Reason = "Fine" }, fields));
        _response.ContentLength = null;
        Assert.Null(Offer(fields));
        _response.ContentLength = 10;
        Assert.NotNull(Offer(_head with { Reason = "OK" }, fields));
    }

    private static string? Text(byte[]? bytes) => bytes is null ? null : Encoding.Latin1.GetString(bytes);

    private ReadyHead? Offer(params (string Name, StringValues Values)[] fields) => Offer(_head, fields);

    private ReadyHead? Offer(StoredHead head, (string Name, StringValues Values)[] fields)
    {
        foreach ((string name, StringValues values) in fields)
        {
            _response.Headers[name] = values;
        }

        string uri = $"http://{_host}/x";
        _heads.Put(uri, head);
        _ready.Offer(_response, Answers.Exchange(uri), head, new ReadyRequest("/x", _host, _answers.Settings), _time.GetUtcNow());
        return _answers.Find("/x"u8, Encoding.ASCII.GetBytes(_host), _time.GetUtcNow())?.Head;
    }
}
