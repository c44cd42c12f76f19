using System.Diagnostics.Metrics;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Hits;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Tests.EventLoops;
using Breakwater.Proxy.Tests.Exchanges;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.Tests.Hits;

/// <summary>Stored objects on a real socket: what goes out at once, and what a slow client gets later.</summary>
public sealed class LeaseSendTests(SliceStore store) : IClassFixture<SliceStore>, IDisposable
{
    private const int Much = (16 << 20) + 1; // more than two sockets hold, and a last part of one byte
    private static readonly byte[] s_head = Pinned("HTTP/1.1 200 OK\r\n\r\n");
    private static int s_seed = 400;

    private readonly ServiceProvider _metrics = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly ConnectedSockets _sockets = new();
    private readonly ResidentRuns _resident = new();

    /// <summary>Do full packets alone go out (TCP_CORK)?</summary>
    private bool IsCorked
    {
        get
        {
            Span<byte> value = stackalloc byte[sizeof(int)];
            _sockets.Sender.GetRawSocketOption(6, 3, value);
            return value[0] != 0;
        }
    }

    public void Dispose()
    {
        _sockets.Dispose();
        _metrics.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(ObjectLease.LeastBytesFromFile - 1)]
    [InlineData(ObjectLease.LeastBytesFromFile)]
    [InlineData(ObjectLease.MaxWholeBytes)]
    [InlineData(ObjectLease.MaxWholeBytes + 1)]
    [InlineData(256 << 10)]
    [InlineData((256 << 10) + 1)]
    [InlineData((512 << 10) + 1)]
    public async Task Send_OfWhatTheSocketTakes_IsTheHeadAndTheObject(int length)
    {
        SyntheticObject item = await StoreAsync(length, isDurable: true);
        StoredAnswer answer = await OpenAsync(item);

        Assert.Equal(FirstAnswer.Sent, LeaseSend.TrySend(answer, s_head, hasBody: true, _resident, _sockets.Descriptor, out long body));
        Assert.Equal(length, body);
        Assert.False(IsCorked);
        Assert.True(_sockets.Receive(s_head.Length + length).AsSpan().SequenceEqual([.. s_head, .. item.Bytes]));
        answer.Return();
    }

    /// <summary>The loops leave it to the ordinary way, before a byte of the answer is out.</summary>
    [Theory]
    [InlineData(1000)]
    [InlineData(ObjectLease.LeastBytesFromFile)]
    [InlineData(ObjectLease.MaxWholeBytes + 1)]
    public async Task Send_OfADamagedObject_IsLeftToTheOrdinaryWay(int length)
    {
        SyntheticObject item = await StoreAsync(length, isDurable: true);
        store.Damage(item, length - 1);
        StoredAnswer answer = StoredAnswer.Take();
        Assert.True(store.Store.TryReopen(item.Key, ref answer.Lease));

        Assert.Equal(FirstAnswer.ForKestrel, LeaseSend.TrySend(answer, s_head, hasBody: true, _resident, _sockets.Descriptor, out _));
        answer.Return();
        _sockets.Sender.Dispose();
        Assert.Empty(await RestAsync());
        Assert.False(store.Store.Contains(item.Key));
    }

    [Fact]
    public async Task Send_OfTheHeadAlone_IsNothingMore()
    {
        StoredAnswer answer = await OpenAsync(await StoreAsync(100_000, isDurable: true));

        Assert.Equal(FirstAnswer.Sent, LeaseSend.TrySend(answer, s_head, hasBody: false, _resident, _sockets.Descriptor, out long body));
        Assert.Equal(0, body);
        answer.Return();
        _sockets.Sender.Dispose();
        Assert.Equal(s_head, await RestAsync());
    }

    /// <summary>Of a file, or of memory as long as it is not durable.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GoOn_ToASlowClient_SendsEachByteOnce(bool isDurable)
    {
        SyntheticObject item = await StoreAsync(Much, isDurable);
        (HitLedger ledger, RequestRecorder recorder) = Ledger();
        StoredAnswer answer = await OpenAsync(item);
        Assert.Equal(FirstAnswer.Answering, LeaseSend.TrySend(answer, s_head, true, _resident, _sockets.Descriptor, out long body));
        Assert.Equal(Much, body);
        answer.Begin(ledger, joins: null, repository: null, Facts(item), RequestResult.Hit, upstream: null, body);
        using var received = new MemoryStream();
        byte[] buffer = new byte[1 << 20];
        while (answer.GoOn(_sockets.Descriptor) != AnswerProgress.Done)
        {
            received.Write(buffer, 0, _sockets.Receiver.Receive(buffer));
        }

        Assert.False(IsCorked);
        answer.End(AnswerEnd.Sent);
        received.Write(_sockets.Receive(s_head.Length + Much - received.Length));
        Assert.True(received.ToArray().AsSpan(s_head.Length).SequenceEqual(item.Bytes));
        RequestRecord record = Assert.Single(RecordsOf(recorder));
        Assert.Equal((RequestResult.Hit, (long)Much), (record.Result, record.BytesSent));
    }

    /// <summary>What is counted is what the socket has taken of the body.</summary>
    [Fact]
    public async Task End_OfAClientThatLeaves_CountsWhatWentOut()
    {
        SyntheticObject item = await StoreAsync(Much, isDurable: true);
        (HitLedger ledger, RequestRecorder recorder) = Ledger();
        StoredAnswer answer = await OpenAsync(item);
        LeaseSend.TrySend(answer, s_head, hasBody: true, _resident, _sockets.Descriptor, out long body);
        answer.Begin(ledger, joins: null, repository: null, Facts(item), RequestResult.Hit, upstream: null, body);
        Assert.Equal(AnswerProgress.Full, answer.GoOn(_sockets.Descriptor));
        Assert.False(IsCorked); // a client with a small window would get nothing

        answer.End(AnswerEnd.ClientGone);
        _sockets.Sender.Dispose();
        RequestRecord record = Assert.Single(RecordsOf(recorder));
        Assert.Equal((RequestResult.ClientGone, (await RestAsync()).LongLength - s_head.Length), (record.Result, record.BytesSent));
    }

    private static byte[] Pinned(string text)
    {
        byte[] pinned = GC.AllocateArray<byte>(text.Length, pinned: true);
        Encoding.ASCII.GetBytes(text, pinned);
        return pinned;
    }

    private static RequestFacts Facts(SyntheticObject item) =>
        new() { StartedAt = 0, Method = RequestMethod.Get, Key = item.Key, Fqrn = Fqrn.Parse("a.example.org") };

    private static List<RequestRecord> RecordsOf(RequestRecorder recorder)
    {
        List<RequestRecord> records = [];
        recorder.Drain(records);
        return records;
    }

    private (HitLedger Ledger, RequestRecorder Recorder) Ledger()
    {
        IMeterFactory meters = _metrics.GetRequiredService<IMeterFactory>();
        var recorder = new RequestRecorder(meters, TimeProvider.System) { KeepsRecords = true };
        return (new HitLedger(recorder, null!, new ExchangeCounters(meters), null!, TimeProvider.System), recorder);
    }

    private async Task<SyntheticObject> StoreAsync(int length, bool isDurable)
    {
        var item = new SyntheticObject(length, Interlocked.Increment(ref s_seed));
        await using ObjectWriter writer = store.Store.BeginWrite(item.Key, length);
        Assert.Null(await writer.AppendAsync(item.Bytes));
        Assert.True(writer.Verify());
        Task<CommitResult> commit = writer.CommitAsync();
        Assert.True(!isDurable || await commit == CommitResult.Committed);
        return item;
    }

    /// <summary>An answer with the lease of an object whose bytes were found right just now.</summary>
    private async Task<StoredAnswer> OpenAsync(SyntheticObject item)
    {
        StoredAnswer answer = StoredAnswer.Take();
        Assert.True(store.Store.TryReopen(item.Key, ref answer.Lease));
        byte[] buffer = new byte[1 << 20];
        for (long at = 0; at < item.Bytes.Length;)
        {
            at += await answer.Lease.ReadAsync(at, buffer);
        }

        return answer;
    }

    /// <summary>All that is left of a connection whose other end is closed.</summary>
    private async Task<byte[]> RestAsync()
    {
        using var rest = new MemoryStream();
        await using var stream = new System.Net.Sockets.NetworkStream(_sockets.Receiver);
        await stream.CopyToAsync(rest).InTimeAsync();
        return rest.ToArray();
    }
}
