using System.IO.Pipelines;
using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Tests.Exchanges;
using Breakwater.Proxy.Tests.Fetching;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Breakwater.Proxy.Tests.Serving;

/// <summary>What a client gets of a fetch; nobody runs it, the test brings its body.</summary>
public sealed class BodyResponderTests(SliceStore store) : IClassFixture<SliceStore>, IAsyncLifetime
{
    private const int Length = 1000;
    private static int s_seed = 1100;
    private readonly SyntheticObject _item = new(Length, Interlocked.Increment(ref s_seed));
    private readonly DefaultHttpContext _context = new();
    private readonly RequestOutcome _outcome = new();
    private readonly CountedFlushes _sent = new();
    private FetchBench _bench = null!;
    private InFlightFetch _fetch = null!;
    private FetchFollower _follower = null!;

    public async Task InitializeAsync()
    {
        _context.Features.Set<IHttpResponseBodyFeature>(_sent);
        _bench = new FetchBench(store.Store, stratum1s: 0);
        _fetch = _bench.NewFetch(FetchBench.OrderOf(_item));
        _follower = _fetch.TryJoin(_fetch.Order, isLeader: true)!;
        await _fetch.Body.AppendAsync(_item.Bytes, default);
        _fetch.Body.DeclareLength(Length);
    }

    public async Task DisposeAsync()
    {
        await _follower.DisposeAsync();
        await _fetch.Body.ReleaseHoldAsync();
        await _bench.DisposeAsync();
    }

    /// <summary>While its last bytes are yet to be proved a client hears at least that an answer comes.</summary>
    [Fact]
    public async Task Send_OfWhatIsYetToBeProved_LetsTheHeadOutBeforeItWaits()
    {
        Task<bool> sending = BodyResponder.SendAsync(_context, _follower, 0, Length, _outcome);
        await Waiting.UntilAsync(() => _sent.Flushes > 0);
        Assert.Equal((1, 0L, false), (_sent.Flushes, _outcome.BytesSent, sending.IsCompleted));
        Verify();

        Assert.True(await sending.InTimeAsync());
        Assert.Equal(_item.Bytes, _sent.Bytes);
        Assert.Equal(Length, _outcome.BytesSent);
    }

    [Fact]
    public async Task Send_OfWhatIsProved_IsOneWithItsHead()
    {
        Verify();

        Assert.True(await BodyResponder.SendAsync(_context, _follower, 0, Length, _outcome).InTimeAsync());
        Assert.Equal(1, _sent.Flushes);
        Assert.Equal(_item.Bytes, _sent.Bytes);
    }

    /// <summary>Who asks for all without knowing how much that is has it at its end; who was told a length has less than that.</summary>
    [Theory]
    [InlineData(long.MaxValue, true)]
    [InlineData(Length + 1L, false)]
    public async Task Send_ToTheEnd_IsWholeUnlessMoreWasPromised(long count, bool isWhole)
    {
        Verify();

        Assert.Equal(isWhole, await BodyResponder.SendAsync(_context, _follower, 0, count, _outcome).InTimeAsync());
        Assert.Equal(_item.Bytes, _sent.Bytes);
    }

    [Fact]
    public async Task Send_ToAClientThatIsGone_SendsNoMore()
    {
        Verify();
        _sent.IsGone = true;

        Assert.True(await BodyResponder.SendAsync(_context, _follower, 0, long.MaxValue, _outcome).InTimeAsync());
        Assert.Equal((RequestResult.ClientGone, 1), (_outcome.Result, _sent.Flushes));
    }

    /// <summary>What is not in memory is read from disk, and that is noted.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Send_OfAStoredObject_IsThePartThatIsWanted(bool isOnDisk)
    {
        Verify();
        await Waiting.UntilAsync(() => store.Store.Contains(_item.Key));
        await using var slices = new WatchedSlices(store.Store) { BeforeRead = isOnDisk ? () => Task.CompletedTask : null };
        Assert.True(slices.TryOpen(_item.Key, out ObjectLease? lease));
        using (lease)
        {
            await BodyResponder.SendAsync(_context, lease, 10, 900, _outcome).InTimeAsync();
        }

        Assert.Equal((900L, isOnDisk), (_outcome.BytesSent, _outcome.TouchedDisk));
        Assert.Equal(_item.Bytes[10..910], _sent.Bytes);
    }

    private void Verify() => Assert.True(_bench.Services.Bodies.TryVerify(_fetch.Body, _fetch.Order, () => { }));

    /// <summary>The body of an answer, which counts how often it is sent on.</summary>
    private sealed class CountedFlushes : PipeWriter, IHttpResponseBodyFeature
    {
        private readonly MemoryStream _sent = new();
        private byte[] _memory = [];

        public int Flushes { get; private set; }

        public bool IsGone { get; set; }

        public byte[] Bytes => _sent.ToArray();

        public Stream Stream => AsStream();

        public PipeWriter Writer => this;

        public override Memory<byte> GetMemory(int sizeHint = 0) => _memory = new byte[Math.Max(sizeHint, 1)];

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override void Advance(int bytes) => _sent.Write(_memory, 0, bytes);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            Flushes++;
            return ValueTask.FromResult(new FlushResult(isCanceled: false, isCompleted: IsGone));
        }

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }

        public void DisableBuffering()
        {
        }

        public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public Task CompleteAsync() => Task.CompletedTask;
    }
}
