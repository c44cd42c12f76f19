using System.Text;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Hits;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Tests.EventLoops;
using Breakwater.Proxy.Tests.Exchanges;
using Breakwater.Proxy.Tests.Observability;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Hits;

/// <summary>What is noted of requests that the event loops answer.</summary>
public sealed class HitLedgerTests : IDisposable
{
    private const string Published = "/cvmfs/a.example.org/.cvmfspublished";
    private const string Catalog = "/cvmfs/a.example.org/data/e3/b0c44298fc1c149afbf4c8996fb92427ae41e4C";
    private static readonly RepositoryRoute s_route = new(Fqrn.Parse("a.example.org"), "test");

    private readonly Measured _measured = new();
    private readonly RequestRecorder _recorder;
    private readonly HitLedger _ledger;

    public HitLedgerTests()
    {
        var time = new FakeTimeProvider();
        _recorder = new RequestRecorder(_measured.Meters, time);
        _ledger = new HitLedger(_recorder, null!, new ExchangeCounters(_measured.Meters), null!, time);
    }

    public void Dispose() => _measured.Dispose();

    /// <summary>Texts of a client are kept for whoever reads them; only what may boot has a connection.</summary>
    [Theory]
    [InlineData(true, "cvmfs/2", "/bin/sh", "cvmfs/2", "/bin/sh", true)]
    [InlineData(true, "cvmfs/2", "", "cvmfs/2", null, true)]
    [InlineData(true, "breakwater/1", "/bin/sh", "breakwater/1", "/bin/sh", false)]
    [InlineData(false, "cvmfs/2", "/bin/sh", null, null, true)]
    public async Task FactsOf_ARequest_HaveWhatItsClientSaysOfItselfIfSomebodyReadsIt(
        bool isRead, string agent, string hint, string? notedAgent, string? notedHint, bool hasConnection)
    {
        _recorder.KeepsTexts = isRead;
        byte[] published = Head("GET", $"http://s1.example.org{Published}", agent, hint);
        byte[] item = Head("HEAD", Catalog, agent, hint);
        List<RequestFacts> facts = [];
        string? connection = null;
        await using var loops = new LoopsUnderTest();
        loops.Responder.Begin = (_, from) =>
        {
            connection = from.Id;
            RequestHead.Scan(published, out RequestHead head);
            facts.Add(_ledger.FactsOf(head, RequestTarget.Parse(head.Target), s_route, from, 7));
            facts.Add(_ledger.FactsOf(head, SomeReadyAnswer.Of(0, "/y", "", DateTimeOffset.UnixEpoch, default), from, 7));
            RequestHead.Scan(item, out head);
            facts.Add(_ledger.FactsOf(head, RequestTarget.Parse(head.Target), s_route, from, 7));
            return null;
        };
        using RawHttpClient client = await loops.ConnectAsync();
        await client.GetAsync("/x");

        Assert.Equal(3, facts.Count);
        Assert.All(facts, one => Assert.Equal((notedAgent, notedHint, hasConnection ? connection : null, 7L),
            (one.UserAgent, one.PathHint, one.Connection, one.StartedAt)));
        Assert.Equal([RequestMethod.Get, RequestMethod.Get, RequestMethod.Head], facts.Select(one => one.Method));
        Assert.Equal([Published, "/y", null], facts.Select(one => one.Target));
        Assert.Equal([false, false, true], facts.Select(one => one.Key is not null));
        Assert.Equal([true, false, true], facts.Select(one => one.Fqrn is not null));
        Assert.Equal(isRead ? "s1.example.org" : null, facts[0].Authority);
        Assert.Null(facts[2].Authority);
    }

    /// <summary>Bytes that went out are counted however an answer ended; what did not begin has neither status nor time.</summary>
    [Fact]
    public void Record_HowAnAnswerEnded_IsWhatTheRecordsSay()
    {
        _recorder.KeepsRecords = true;
        var facts = new RequestFacts { StartedAt = 7, Method = RequestMethod.Get, Fqrn = s_route.Fqrn };
        _ledger.RecordUnanswered(facts, "s1:80");
        _ledger.RecordEnd(facts, AnswerEnd.ClientGone, RequestResult.Joined, 5, 9, "s1:80");
        _ledger.RecordEnd(facts, AnswerEnd.Failed, RequestResult.Miss, 6, 9, null);
        _ledger.RecordSent(facts, RequestResult.Hit, 10);
        _ledger.RecordEnd(facts, AnswerEnd.Sent, RequestResult.Joined, 20, 9, "s1:80");
        List<RequestRecord> records = [];
        _recorder.Drain(records);

        Assert.Equal(
            [
                (RequestResult.ClientGone, 0, 0L, 0L, "s1:80"), (RequestResult.ClientGone, 200, 5L, 9L, "s1:80"),
                (RequestResult.Failed, 200, 6L, 9L, null), (RequestResult.Hit, 200, 10L, _ledger.Now, null),
                (RequestResult.Joined, 200, 20L, 9L, "s1:80"),
            ],
            records.OrderBy(one => one.BytesSent).Select(one =>
                (one.Result, (int)one.Status, one.BytesSent, one.AnsweredAt, one.Upstream)));
    }

    private static byte[] Head(string method, string target, string agent, string hint) => Encoding.ASCII.GetBytes(
        $"{method} {target} HTTP/1.1\r\nHost: h\r\nUser-Agent: {agent}\r\n{(hint.Length > 0 ? $"CVMFS-Info: {hint}\r\n" : "")}\r\n");
}
