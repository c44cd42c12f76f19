using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Outcomes;
using Breakwater.Repositories;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Outcomes;

public sealed class RequestOutcomeTests
{
    [Theory]
    [InlineData("Hit", "hit", "hit")]
    [InlineData("Miss", "fwd=uri-miss; stored", "fwd=uri-miss")]
    [InlineData("Joined", "fwd=uri-miss; stored; collapsed", "fwd=uri-miss; collapsed")]
    [InlineData("Revalidated", "fwd=stale; stored", "fwd=stale")]
    [InlineData("Stale", "hit; fwd=stale; detail=upstream-down", "hit; fwd=stale; detail=upstream-down")]
    [InlineData("Held", "hit; detail=held", "hit; detail=held")]
    [InlineData("Negative", "hit; detail=negative", "hit; detail=negative")]
    [InlineData("PassedThrough", "fwd=bypass", "fwd=bypass")]
    [InlineData("Local", "detail=local", "detail=local")]
    [InlineData("Failed", "fwd=uri-miss; detail=failed", "fwd=uri-miss; detail=failed")]
    public void ToCacheStatus_OfEachResult_IsItsWords(string result, string stored, string notStored)
    {
        RequestResult kind = Enum.Parse<RequestResult>(result);

        Assert.Equal($"p; {stored}", new RequestOutcome { Result = kind }.ToCacheStatus("p")); // kept, unless it is known not to be
        Assert.Equal($"p; {notStored}", new RequestOutcome { Result = kind, IsStored = false }.ToCacheStatus("p"));
    }

    [Theory]
    [InlineData("Hit", "Memory", "Disk")]
    [InlineData("Held", "Memory", "Disk")]
    [InlineData("Stale", "Memory", "Disk")]
    [InlineData("Joined", "Joined", "Joined")]
    [InlineData("Miss", "Upstream", "Upstream")]
    [InlineData("Revalidated", "Upstream", "Upstream")]
    [InlineData("PassedThrough", "Upstream", "Upstream")]
    [InlineData("Local", "None", "None")]
    [InlineData("Refused", "None", "None")]
    public void SourceOf_AResult_IsTheTierThatItImplies(string result, string inMemory, string touchedDisk)
    {
        RequestResult kind = Enum.Parse<RequestResult>(result);

        Assert.Equal(inMemory, RequestRecord.SourceOf(kind, touchedDisk: false).ToString());
        Assert.Equal(touchedDisk, RequestRecord.SourceOf(kind, touchedDisk: true).ToString());
    }

    [Fact]
    public void Methods_ByTheirNames_AreWhatTheyWere()
    {
        Assert.All(Enum.GetValues<RequestMethod>(), method => Assert.Equal(method, RequestRecord.MethodOf(RequestRecord.NameOf(method))));
        Assert.Equal(("GET", "HEAD"), (RequestRecord.NameOf(RequestMethod.Get), RequestRecord.NameOf(RequestMethod.Head)));
        Assert.All((string[])["", "get", "GETS", "PROPFIND"], name => Assert.Equal(RequestMethod.Other, RequestRecord.MethodOf(name)));
    }

    [Fact]
    public void Ended_OfFacts_TakesThemAllOver()
    {
        var key = ObjectKey.Parse("abcdef0123456789abcdef0123456789abcdef01C");
        var facts = new RequestFacts
        {
            StartedAt = 1,
            Method = RequestMethod.Head,
            Client = IPAddress.Loopback,
            Connection = "c",
            Key = key,
            Fqrn = Fqrn.Parse("a.example.org"),
            Authority = "h",
            Target = "/t",
            UserAgent = "u",
            PathHint = "/p",
        };

        RequestRecord record = facts.Ended(RequestResult.Joined, 206, 7, 2, 3, "s1");

        Assert.Equal((1L, 2L, 3L, 7L, (short)206), (record.StartedAt, record.AnsweredAt, record.EndedAt, record.BytesSent, record.Status));
        Assert.Equal((RequestMethod.Head, RequestResult.Joined, ByteSource.Joined), (record.Method, record.Result, record.Source));
        Assert.Equal((true, key, Fqrn.Parse("a.example.org")), (record.HasKey, record.Key, record.Fqrn!.Value));
        Assert.Equal(("c", "h", "/t", "s1"), (record.Connection, record.Authority, record.Target, record.Upstream));
        Assert.Equal(("u", "/p", IPAddress.Loopback), (record.UserAgent, record.PathHint, record.Client));
        Assert.Equal(HeapCost.Of("h") + HeapCost.Of("/t") + HeapCost.Of("u") + HeapCost.Of("/p"), record.TextBytes);
        Assert.Equal(ByteSource.Memory, facts.Ended(RequestResult.Hit, 200, 0, 2, 3).Source);
        Assert.Equal(ByteSource.Disk, facts.Ended(RequestResult.Hit, 200, 0, 2, 3, null, ByteSource.Disk).Source);
    }

    [Fact]
    public async Task Outcome_OfAnAnswer_IsThatItsHeadIsReadyWhenItStarts()
    {
        (DefaultHttpContext context, Starting response, FakeTimeProvider time) = (new(), new(), new());
        context.Features.Set<IHttpResponseFeature>(response);
        RequestOutcome outcome = new();
        outcome.StartsWith(context, time);
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(0, outcome.AnsweredAt);

        await response.Start();

        Assert.Equal(time.GetTimestamp(), outcome.AnsweredAt);
    }

    [Fact]
    public void Counted_BytesOfItsOwnAnswers_AreAddedWhereARequestIsFollowed()
    {
        DefaultHttpContext context = new();
        RequestOutcome.Counted(context, 9); // nobody follows it
        RequestOutcome outcome = new() { BytesSent = 100 };
        context.Features.Set(outcome);

        RequestOutcome.Counted(context, 5);
        RequestOutcome.Counted(context, 7);

        Assert.Equal(112, outcome.BytesSent);
    }

    [Fact]
    public void Facts_OfNoObject_AreARecordOfNone()
    {
        RequestRecord record = new RequestFacts { StartedAt = 1, Method = RequestMethod.Get }.Ended(RequestResult.Local, 200, 0, 1, 1);

        Assert.Equal((false, 0), (record.HasKey, record.TextBytes));
    }

    [Theory]
    [InlineData(1024, 1024)]
    [InlineData(1025, 1024)]
    public void Texts_OfAClient_AreCutToWhatIsKept(int length, int kept)
    {
        string text = new('x', length);
        RequestRecord record = new RequestFacts { StartedAt = 1, Method = RequestMethod.Get, UserAgent = text, PathHint = text }
            .Ended(RequestResult.Local, 200, 0, 1, 1);

        Assert.Equal((kept, kept), (record.UserAgent!.Length, record.PathHint!.Length));
    }

    [Theory]
    [InlineData("NotFound", 404, "http_request_error")]
    [InlineData("Offline", 404, "destination_unavailable")]
    [InlineData("Timeout", 504, "http_response_timeout")]
    [InlineData("Connect", 502, "destination_unavailable")]
    [InlineData("Lookup", 502, "dns_error")]
    [InlineData("Parent", 502, "destination_unavailable")]
    [InlineData("Broken", 502, "http_response_incomplete")]
    [InlineData("Status", 502, "destination_unavailable")]
    [InlineData("Refused", 502, "http_request_error")]
    [InlineData("BadHead", 502, "http_protocol_error")]
    [InlineData("WrongBytes", 502, "http_protocol_error")]
    [InlineData("Untrusted", 502, "http_protocol_error")]
    [InlineData("NoUpstream", 502, "destination_unavailable")]
    public void Failure_OfAKind_HasItsStatusAndItsWord(string kind, int status, string word)
    {
        var failure = new UpstreamFailure(Enum.Parse<FailureKind>(kind), "x");

        Assert.Equal((status, word), (failure.StatusCode, failure.ProxyError));
        Assert.Equal("more", (failure with { Word = "more" }).ProxyError);
    }

    /// <summary>A response whose head is written when the test says so.</summary>
    private sealed class Starting : HttpResponseFeature
    {
        public Func<Task> Start { get; private set; } = null!;

        public override void OnStarting(Func<object, Task> callback, object state) => Start = () => callback(state);
    }
}
