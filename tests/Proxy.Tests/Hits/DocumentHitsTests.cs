using Breakwater.Proxy.Documents;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Hits;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Tests.Documents;
using Breakwater.Proxy.Tests.EventLoops;
using Breakwater.Proxy.Tests.Observability;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Hits;

/// <summary>Fresh documents on a real socket: what goes out at once, and what a slow client gets later.</summary>
public sealed class DocumentHitsTests : IAsyncLifetime
{
    private const int Most = 64 << 10;
    private static readonly RepositoryRoute s_route = new(Fqrn.Parse("a.example.org"), "test");
    private static readonly DocumentRequest s_reflog = new(DocumentKind.File, s_route, ".cvmfsreflog", null);

    private readonly BuiltDocuments _proxy = new();
    private readonly ConnectedSockets _sockets = new();
    private readonly Measured _measured = new();
    private RequestRecorder _recorder = null!;
    private HitLedger _ledger = null!;

    public async Task InitializeAsync()
    {
        await _proxy.OpenAsync();
        _recorder = new RequestRecorder(_measured.Meters, _proxy.Time) { KeepsRecords = true };
        _ledger = new HitLedger(_recorder, null!, new ExchangeCounters(_measured.Meters), null!, _proxy.Time);
    }

    public async Task DisposeAsync()
    {
        _sockets.Dispose();
        _measured.Dispose();
        await _proxy.DisposeAsync();
    }

    [Theory]
    [InlineData(1, false, "Sent", 1)]
    [InlineData(Most, false, "Sent", Most)]
    [InlineData(Most, true, "Sent", 0)]
    [InlineData(Most + 1, false, "ForKestrel", 0)]
    public async Task TrySend_AFreshDocument_IsAllOfItUnlessItIsLong(int length, bool isHead, string answered, int sent)
    {
        (byte[] head, byte[] body) = await PutAsync(length);
        StoredAnswer answer = StoredAnswer.Take();

        Assert.Equal(answered, TrySend(answer, isHead, out long bytes).ToString());
        answer.Return();

        Assert.Equal(sent, bytes);
        _sockets.Sender.Dispose();
        byte[] expected = answered == "Sent" ? [.. head, .. body[..sent]] : [];
        Assert.True(expected.AsSpan().SequenceEqual(Rest()));
    }

    [Fact]
    public void TrySend_ADocumentThatIsNotHere_IsKestrels()
    {
        StoredAnswer answer = StoredAnswer.Take();

        Assert.Equal(FirstAnswer.ForKestrel, TrySend(answer, false, out _));
        answer.Return();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GoOn_ToASlowClient_SendsEachByteOnceAndCountsThem(bool isPatient)
    {
        (byte[] head, byte[] body) = await PutAsync(60_000);
        int whole = head.Length + body.Length;
        (StoredAnswer answer, int answers) = Fill();
        answer.Begin(
            _ledger, joins: null, repository: null, new RequestFacts { StartedAt = 0, Method = RequestMethod.Get, Fqrn = s_route.Fqrn },
            RequestResult.Hit, upstream: null, body.Length);
        using var received = new MemoryStream();
        byte[] buffer = new byte[1 << 20];
        while (isPatient && answer.GoOn(_sockets.Descriptor) != AnswerProgress.Done)
        {
            received.Write(buffer, 0, _sockets.Receiver.Receive(buffer));
        }

        answer.End(isPatient ? AnswerEnd.Sent : AnswerEnd.ClientGone);
        _sockets.Sender.Dispose();
        received.Write(Rest());

        byte[] all = received.ToArray();
        byte[] expected = [.. Enumerable.Repeat<byte[]>([.. head, .. body], answers).SelectMany(one => one)];
        Assert.True(all.AsSpan().SequenceEqual(expected.AsSpan(0, isPatient ? expected.Length : all.Length)));
        List<RequestRecord> records = [];
        _recorder.Drain(records);
        long ofLast = all.Length - ((answers - 1L) * whole) - head.Length;
        Assert.Equal((isPatient ? RequestResult.Hit : RequestResult.ClientGone, Math.Max(0, ofLast)),
            (Assert.Single(records).Result, records[0].BytesSent));
    }

    /// <summary>The first answer that the socket does not take at once, and how many were begun.</summary>
    private (StoredAnswer Answer, int Answers) Fill()
    {
        for (int answers = 1; ; answers++)
        {
            StoredAnswer answer = StoredAnswer.Take();
            FirstAnswer first = TrySend(answer, false, out long bytes);
            Assert.Equal(60_000, bytes);
            if (first == FirstAnswer.Answering)
            {
                return (answer, answers);
            }

            Assert.Equal(FirstAnswer.Sent, first);
            answer.Return();
        }
    }

    private FirstAnswer TrySend(StoredAnswer answer, bool isHead, out long bytes) => _proxy.Get<DocumentHits>().TrySend(
        s_route, ".cvmfsreflog"u8, isHead, _sockets.Descriptor, answer, out bytes);

    /// <summary>A fresh document of this length: its head and its body.</summary>
    private async Task<(byte[] Head, byte[] Body)> PutAsync(int length)
    {
        byte[] body = new SyntheticObject(length).Bytes;
        _proxy.Upstream.Put(s_reflog.UrlPath, body);
        await _proxy.Get<DocumentCache>().GetAsync(s_reflog, default).InTimeAsync();
        byte[] head = new byte[HeadEncoder.MaxBytes];
        return (head[.._proxy.Get<HeadEncoder>().WriteDocument(head, _proxy.Get<DocumentCache>().FindFresh(s_reflog)!)], body);
    }

    /// <summary>All that is left of the connection, whose other end is closed.</summary>
    private byte[] Rest()
    {
        using var rest = new MemoryStream();
        byte[] buffer = new byte[1 << 20];
        for (int read = 1; read > 0;)
        {
            read = _sockets.Receiver.Receive(buffer);
            rest.Write(buffer, 0, read);
        }

        return rest.ToArray();
    }
}
