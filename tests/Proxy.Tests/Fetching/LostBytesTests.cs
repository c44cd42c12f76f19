using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Fetching;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Fetching;

/// <summary>
/// A disk that takes the bytes of a fetch and does not give them back: who reads them goes on from memory, if what he has is known to be
/// right.
/// </summary>
public sealed class LostBytesTests : IAsyncLifetime
{
    private const int Length = 900_000; // more than three parts of the log
    private static int s_seed = 9_700;

    private readonly TemporaryDirectory _directory = new();
    private readonly FaultyDisk _disk = new();
    private readonly byte[] _buffer = new byte[Length];
    private readonly SyntheticObject _item = new(Length, Interlocked.Increment(ref s_seed));
    private FasterObjectStore _store = null!;
    private FetchBench _bench = null!;

    private FetchOrder Order => FetchBench.OrderOf(_item);

    public async Task InitializeAsync()
    {
        var options = new StoreOptions { Path = _directory.Combine("store"), CommitInterval = TimeSpan.FromMilliseconds(10) };
        _store = await _disk.OpenStoreAsync(options);
        _bench = new FetchBench(_store);
        _item.On(_bench.Stratum1s[0]);
    }

    public async Task DisposeAsync()
    {
        Assert.Equal(0, _bench.Overflow.Taken);
        await _bench.DisposeAsync();
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public async Task Read_OfARightBodyThatTheDiskLost_GoesOnFromAnotherFetch(int have)
    {
        FetchFollower follower = _bench.Fetches.JoinOrStart(Order).Follower!;
        await using (follower)
        {
            Assert.Equal(Length, await LengthAsync(follower));
            follower.PromiseLength();
            await Waiting.UntilAsync(() => IsReadFromDisk(follower.Body));
            follower.MoveTo(have);
            _disk.ReadFault = FaultyDisk.InputOutput;

            await GetRestAsync(follower, have);
            Assert.Equal(FollowState.Ended, follower.Look(Length));
        }

        Assert.Equal(2, _bench.Stratum1s[0].ObjectRequestCount);
    }

    /// <summary>What went out cannot be compared with anything any more, so all of it must be known to be right.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Read_OfABodyOfWhichSomeIsOut_WaitsUntilThatIsKnownToBeRight(bool isRight)
    {
        InFlightFetch fetch = _bench.NewFetch(Order);
        FetchFollower follower = fetch.TryJoin(Order, isLeader: true)!;
        await using (follower)
        {
            fetch.Body.DeclareLength(Length);
            follower.PromiseLength();
            await fetch.Body.AppendAsync(_item.Bytes, default);
            fetch.Body.Release(Length);
            await FlushAsync(fetch.Body);
            follower.MoveTo(10);
            _disk.ReadFault = FaultyDisk.InputOutput;

            Task<int> read = follower.ReadAsync(10, _buffer, default).AsTask();
            await Task.Yield();
            Assert.Equal((false, 0), (read.IsCompleted, _bench.Stratum1s[0].ObjectRequestCount));
            if (isRight)
            {
                Assert.True(_bench.Services.Bodies.TryVerify(fetch.Body, Order, () => { }));
                int first = await read.InTimeAsync();
                Assert.True(_item.Bytes.AsSpan(10, first).SequenceEqual(_buffer.AsSpan(0, first)));
                await GetRestAsync(follower, 10 + first);
                await fetch.Body.ReleaseHoldAsync();
            }
            else
            {
                fetch.EndAsStored(); // it failed, whatever the reason
                await Assert.ThrowsAsync<IOException>(() => read.InTimeAsync());
            }
        }

        Assert.Equal(isRight ? 1 : 0, _bench.Stratum1s[0].ObjectRequestCount);
    }

    /// <summary>Nothing is out, so nothing needs to be known of it.</summary>
    [Fact]
    public async Task Read_OfABodyOfWhichNothingIsOut_GoesOnAtOnce()
    {
        InFlightFetch fetch = _bench.NewFetch(Order);
        FetchFollower follower = fetch.TryJoin(Order, isLeader: true)!;
        await using (follower)
        {
            await fetch.Body.AppendAsync(_item.Bytes.AsMemory(0, 700_000), default);
            fetch.Body.Release(700_000);
            await FlushAsync(fetch.Body);
            _disk.ReadFault = FaultyDisk.InputOutput;

            await GetRestAsync(follower, 0);
        }

        Assert.Equal((1, 0), (_bench.Stratum1s[0].ObjectRequestCount, fetch.Followers));
        await fetch.Body.ReleaseHoldAsync();
    }

    /// <summary>Who wants it from memory joins no fetch that is read from the disk, and looks in no store.</summary>
    [Fact]
    public async Task JoinOrStart_FromMemory_IsAFetchOfItsOwnThatOthersMayJoin()
    {
        var gate = new Gate();
        _bench.Stratum1s[0].Everything = UpstreamBehaviour.WaitsAt(1000, gate);
        await using FetchFollower first = _bench.Fetches.JoinOrStart(Order).Follower!;
        await using FetchFollower second = _bench.Fetches.JoinOrStart(Order.FromMemory()).Follower!;
        await using FetchFollower third = _bench.Fetches.JoinOrStart(Order.FromMemory()).Follower!;
        await using FetchFollower fourth = _bench.Fetches.JoinOrStart(Order).Follower!;
        Assert.Equal((true, true, false, false), (first.IsLeader, second.IsLeader, third.IsLeader, fourth.IsLeader));
        gate.Open();
        Assert.Equal(_item.Bytes, await FetchBench.ReadAllAsync(third));
        await Waiting.UntilAsync(() => _bench.Fetches.InFlight.Count == 0);
        Assert.True(_store.Contains(_item.Key));

        await using FetchFollower last = _bench.Fetches.JoinOrStart(Order.FromMemory()).Follower!;
        Assert.Equal(_item.Bytes, await FetchBench.ReadAllAsync(last));
        Assert.Equal(3, _bench.Stratum1s[0].ObjectRequestCount);
        await _bench.AtRestAsync();
    }

    private static async Task<long?> LengthAsync(FetchFollower follower)
    {
        Assert.Equal(FollowState.Readable, await follower.WaitAsync(Length - 1, default).InTimeAsync());
        return follower.Length;
    }

    /// <summary>Its first parts leave memory when the log is flushed, here for another object.</summary>
    private async Task FlushAsync(GrowingObject body)
    {
        var other = new SyntheticObject(100, 9_699);
        await using ObjectWriter writer = _store.BeginWrite(other.Key, null);
        await writer.AppendAsync(other.Bytes);
        Assert.True(writer.Verify());
        Assert.Equal(CommitResult.Committed, await writer.CommitAsync().InTimeAsync());
        await Waiting.UntilAsync(() => IsReadFromDisk(body));
    }

    /// <summary>Has its beginning left memory of our own?</summary>
    private static bool IsReadFromDisk(GrowingObject body)
    {
        bool isMapped = body.TryGetMapped(0, out _, out IDisposable? hold);
        hold?.Dispose();
        return !isMapped || hold is null;
    }

    /// <summary>Gets all from there to the end, and it is right.</summary>
    private async Task GetRestAsync(FetchFollower follower, int from)
    {
        int offset = from;
        while (await follower.WaitAsync(offset, default).InTimeAsync() == FollowState.Readable)
        {
            offset += await follower.ReadAsync(offset, _buffer.AsMemory(offset), default).InTimeAsync();
        }

        Assert.Equal(Length, offset);
        Assert.True(_item.Bytes.AsSpan(from).SequenceEqual(_buffer.AsSpan(from)));
    }
}
