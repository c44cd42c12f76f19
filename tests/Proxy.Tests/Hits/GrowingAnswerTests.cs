using System.Text;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Hits;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Tests.EventLoops;
using Breakwater.Proxy.Tests.Fetching;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Hits;

/// <summary>An answer that goes out while its object is fetched, on a real socket; the test is the Stratum 1.</summary>
public sealed class GrowingAnswerTests : IAsyncLifetime
{
    private const int Most = 1 << 20;   // of an object that the store takes
    private const int First = 64 << 10;
    private const int AtOnce = 512 << 10;
    private static readonly byte[] s_head = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\n\r\n");

    private readonly TemporaryDirectory _directory = new();
    private readonly ConnectedSockets _sockets = new();
    private readonly ResidentRuns _resident = new();
    private FasterObjectStore _store = null!;
    private FetchBench _bench = null!;
    private RequestRecorder _recorder = null!;
    private HitLedger _ledger = null!;
    private SyntheticObject _item = null!;
    private InFlightFetch _fetch = null!;
    private FetchFollower _follower = null!;
    private bool _isHeld = true;

    public async Task InitializeAsync()
    {
        _store = await FasterObjectStore.OpenAsync(
            new StoreOptions { Path = _directory.Combine("store"), QuotaBytes = StoreOptions.MinQuotaBytes, MaxObjectBytes = Most });
        _bench = new FetchBench(_store, stratum1s: 0);
        _recorder = new RequestRecorder(_bench.Meters, _bench.Time) { KeepsRecords = true };
        _ledger = new HitLedger(_recorder, _bench.Services.Counters, new ExchangeCounters(_bench.Meters), null!, _bench.Time);
    }

    public async Task DisposeAsync()
    {
        _sockets.Dispose();
        if (_isHeld)
        {
            await _fetch.Body.ReleaseHoldAsync();
        }

        await _bench.DisposeAsync();
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    /// <summary>A short first turn, so that of thousands nobody waits long for a first byte; then longer ones.</summary>
    [Fact]
    public async Task GoOn_WithMuchToSend_SendsLittleFirstAndThenMoreInEachTurn()
    {
        GrowingAnswer answer = Begin(Most);
        await AppendAsync(0, Most);
        _fetch.Body.Release(Most);
        Assert.Equal(AnswerProgress.Paused, answer.GoOn(_sockets.Descriptor));
        Assert.Equal([.. s_head, .. _item.Bytes[..First]], Received(s_head.Length + First));

        Assert.Equal(AnswerProgress.Paused, answer.GoOn(_sockets.Descriptor));
        Assert.True(Received(AtOnce).AsSpan().SequenceEqual(_item.Bytes.AsSpan(First, AtOnce)));
        Assert.Equal(AnswerProgress.Starved, answer.GoOn(_sockets.Descriptor)); // its last byte is held back
        int left = Most - First - AtOnce - 1;
        Assert.True(Received(left).AsSpan().SequenceEqual(_item.Bytes.AsSpan(First + AtOnce, left)));
        Task change = answer.Change();
        Assert.False(change.IsCompleted);
        Verify();
        await change.InTimeAsync();
        Assert.Equal(AnswerProgress.Done, answer.GoOn(_sockets.Descriptor));
        Assert.Equal([_item.Bytes[^1]], Received(1));

        answer.End(AnswerEnd.Sent);
        RequestRecord record = Assert.Single(Records());
        Assert.Equal((RequestResult.Miss, (long)Most, 200), (record.Result, record.BytesSent, record.Status));
        await Waiting.UntilAsync(() => _fetch.Followers == 0);
    }

    /// <summary>
    /// The store takes no more of it than its longest object: the rest is read from memory, and a client takes some of it at a time.
    /// </summary>
    [Fact]
    public async Task GoOn_ToASlowClientOfABodyThatIsNotStored_SendsEachByteOnce()
    {
        const int Length = (16 << 20) + 123; // more than two sockets hold
        GrowingAnswer answer = Begin(Length);
        for (int at = 0; at < Length; at += 300_000)
        {
            await AppendAsync(at, Math.Min(300_000, Length - at));
        }

        Assert.False(_follower.IsToBeStored);
        Verify();
        using var received = new MemoryStream();
        byte[] buffer = new byte[1 << 20];
        for (AnswerProgress progress = AnswerProgress.Paused; progress != AnswerProgress.Done;)
        {
            progress = answer.GoOn(_sockets.Descriptor);
            if (progress == AnswerProgress.Starved)
            {
                await answer.Change().InTimeAsync();
            }
            else if (progress == AnswerProgress.Full)
            {
                received.Write(buffer, 0, _sockets.Receiver.Receive(buffer));
            }
        }

        received.Write(Received((int)(s_head.Length + Length - received.Length)));
        Assert.True(received.ToArray().AsSpan(s_head.Length).SequenceEqual(_item.Bytes));
        answer.End(AnswerEnd.Sent);
        Assert.Equal(Length, Assert.Single(Records()).BytesSent);
        await Waiting.UntilAsync(() => _fetch.Followers == 0);
    }

    [Fact]
    public async Task GoOn_WhenTheFetchFails_SaysThatTheRestCannotBeHad()
    {
        GrowingAnswer answer = Begin(Most);
        await AppendAsync(0, 100_000);
        _fetch.Body.Release(10);
        Assert.Equal(AnswerProgress.Starved, answer.GoOn(_sockets.Descriptor));
        Assert.Equal([.. s_head, .. _item.Bytes[..10]], Received(s_head.Length + 10));
        _isHeld = false;
        _fetch.EndAsStored();

        Assert.Throws<IOException>(() => answer.GoOn(_sockets.Descriptor));
        answer.End(AnswerEnd.Failed);
        RequestRecord record = Assert.Single(Records());
        Assert.Equal((RequestResult.Failed, 10L), (record.Result, record.BytesSent));
        Assert.Throws<InvalidOperationException>(() => answer.HandOver());
        Assert.True(answer.HasBegun && answer.TakesTurns);
    }

    private GrowingAnswer Begin(int length)
    {
        _item = new SyntheticObject(length, length);
        _fetch = _bench.NewFetch(FetchBench.OrderOf(_item));
        _fetch.Body.DeclareLength(length);
        _follower = _fetch.TryJoin(_fetch.Order, isLeader: true)!;
        _follower.PromiseLength(length);
        var facts = new RequestFacts { StartedAt = 0, Method = RequestMethod.Get, Key = _item.Key, Fqrn = _fetch.Order.Repository.Fqrn };
        return new GrowingAnswer(_ledger, facts, _follower, s_head, length, _resident, _ledger.Now);
    }

    private Task AppendAsync(int from, int count) => _fetch.Body.AppendAsync(_item.Bytes.AsMemory(from, count), default).AsTask();

    private void Verify() => Assert.True(_bench.Services.Bodies.TryVerify(_fetch.Body, _fetch.Order, () => { }));

    private byte[] Received(int count) => _sockets.Receive(count);

    private List<RequestRecord> Records()
    {
        List<RequestRecord> records = [];
        _recorder.Drain(records);
        return records;
    }
}
