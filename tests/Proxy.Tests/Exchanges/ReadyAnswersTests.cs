using System.Text;
using Breakwater.Proxy.Access;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.Caching;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>Which stored answers the event loops may give by themselves, and until when.</summary>
public sealed class ReadyAnswersTests : IClassFixture<SliceStore>
{
    private readonly string _host = $"{Guid.NewGuid()}.example.org";
    private readonly FakeTimeProvider _time = new(Headers.Now);
    private readonly HttpPolicy _policy = new(new HttpOptions());
    private readonly DestinationAccess _destinations = new(["*.example.org"]);
    private readonly FlightTable _flights;
    private readonly HeadShelf _heads;
    private readonly ReadyAnswers _ready;
    private readonly StoredHead _head = Headers.Stored("Cache-Control: max-age=600");

    public ReadyAnswersTests(SliceStore store)
    {
        _flights = new FlightTable(_time);
        _heads = new HeadShelf(store.Named, _time);
        _ready = new ReadyAnswers(_policy, _destinations, _heads, _flights, store.Named, _time);
    }

    [Fact]
    public void Find_WhatWasGiven_ByItsTargetAndHostAlone()
    {
        Assert.Null(Find());
        Put();

        ReadyAnswer answer = Find()!;

        Assert.Equal(("/x", 10L, BodySlice.KeyOf(_head.BodyId, 0), TimeSpan.FromSeconds(600)),
            (answer.TargetText, answer.Length, answer.Slice, answer.Lifetime));
        Assert.Null(_ready.Find("/y"u8, Bytes(_host), _time.GetUtcNow()));
        Assert.Null(_ready.Find("/x"u8, "other"u8, _time.GetUtcNow()));
        Assert.Null(_ready.Find(Bytes($"http://{_host}/x"), Bytes(_host), _time.GetUtcNow()));
        Assert.False(_ready.Wants(Exchange, _head, Given(), _time.GetUtcNow()));
    }

    [Fact]
    public void Find_TargetThatNamesItsHost_WhateverTheFieldSays()
    {
        _heads.Put(Uri, _head);
        ReadyRequest given = Given() with { Target = Uri };
        Assert.True(_ready.Wants(Exchange, _head, given, _time.GetUtcNow()));
        _ready.Put(Exchange, _head, given, new ReadyHead([], [], []), _time.GetUtcNow());

        Assert.NotNull(_ready.Find(Bytes(Uri), "anything"u8, _time.GetUtcNow()));
        Assert.NotNull(_ready.Find(Bytes(Uri), default, _time.GetUtcNow()));
    }

    [Theory]
    [InlineData("policy")]
    [InlineData("destinations")]
    [InlineData("head")]
    [InlineData("flight")]
    [InlineData("flight of nodes")]
    [InlineData("time")]
    public void Find_SomethingThatLedToItHasChanged_IsNone(string what)
    {
        Put();
        string name = FlightTable.NameOf(Uri, _head, Headers.Of());
        Assert.NotNull(Find());

        switch (what)
        {
            case "policy":
                _policy.Replace(new HttpOptions());
                break;
            case "destinations":
                _destinations.Replace(["*.example.org"]);
                break;
            case "head":
                _heads.Put(Uri, _head);
                break;
            case "flight":
                _flights.JoinOrStart(name, out _);
                break;
            case "flight of nodes":
                _flights.JoinOrStart(FlightTable.NameOfSite(name), out _);
                break;
            default:
                _time.Advance(TimeSpan.FromMinutes(1));
                break;
        }

        Assert.Null(Find());
    }

    [Fact]
    public void Wants_OnlyAStored200OfOneSliceForPlainRequests()
    {
        DateTimeOffset now = _time.GetUtcNow();
        Assert.True(_ready.Wants(Exchange, _head, Given(), now));
        Assert.True(_ready.Wants(Exchange, _head with { Length = BodySlice.SizeBytes }, Given(), now));
        Assert.True(_ready.Wants(Exchange, Headers.Stored("Vary: a"), Given(), now));
        foreach (StoredHead other in (StoredHead[])
        [
            _head with { Status = 404 }, _head with { Length = 0 }, _head with { Length = null },
            _head with { Length = BodySlice.SizeBytes + 1 }, _head with { HereFor = TimeSpan.FromSeconds(1) },
            Headers.Stored("Vary: a", request: "a: 1"),
        ])
        {
            Assert.False(_ready.Wants(Exchange, other, Given(), now));
        }

        string digest = new('0', 64);
        Assert.False(_ready.Wants(Answers.Exchange($"http://{_host}/v2/a/blobs/sha256:{digest}"), _head, Given(), now));
        string longest = "/" + new string('x', ReadyAnswer.MaxNameBytes - 1 - _host.Length);
        Assert.True(_ready.Wants(Exchange, _head, Given() with { Target = longest }, now));
        Assert.False(_ready.Wants(Exchange, _head, Given() with { Target = longest + "x" }, now));
    }

    [Fact]
    public void Put_WhatIsNotStoredSoOrNotFresh_IsNotReady()
    {
        Put(isStored: false);
        Assert.Null(Find());

        Put(_head with { Reason = "another" }, isStored: false, stored: _head);
        Assert.Null(Find());

        Put(Headers.Stored("Cache-Control: max-age=0"));
        Assert.Null(Find());

        Put(Headers.Stored("Cache-Control: max-age=600|Vary: a", request: "a: 1"));
        Assert.Null(Find());
    }

    [Fact]
    public void Put_WhereAnswersVary_SaysByWhichFields()
    {
        _heads.Put(Uri, Headers.Stored("Vary: a, b|Cache-Control: max-age=600", request: "a: 1"));
        StoredHead plain = Headers.Stored("Vary: b, c|Cache-Control: max-age=600");
        Put(plain);

        Assert.Equal(["a", "b", "c"], Find()!.Varying.Select(name => Encoding.ASCII.GetString(name)).Order());

        string wide = new('n', ReadyAnswer.MaxNameBytes);
        Put(Headers.Stored($"Vary: {wide}|Cache-Control: max-age=600"));
        Assert.Null(Find());
    }

    private string Uri => $"http://{_host}/x";

    private Exchange Exchange => Answers.Exchange(Uri);

    private ReadyRequest Given() => new("/x", _host, _ready.Settings);

    private ReadyAnswer? Find() => _ready.Find("/x"u8, Bytes(_host), _time.GetUtcNow());

    private void Put(StoredHead? head = null, bool isStored = true, StoredHead? stored = null)
    {
        head ??= _head;
        if (isStored || stored is not null)
        {
            _heads.Put(Uri, stored ?? head);
        }

        _ready.Put(Exchange, head, Given(), new ReadyHead([], [], []), _time.GetUtcNow());
    }

    private static byte[] Bytes(string text) => Encoding.ASCII.GetBytes(text);
}
