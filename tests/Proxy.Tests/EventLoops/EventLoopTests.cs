using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Threading;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.Proxy.Tests.EventLoops;

/// <summary>A loop's thread by itself: whose turn it is.</summary>
public sealed class EventLoopTests : IDisposable
{
    private readonly ConnectedSockets _sockets = new();
    private readonly ServingLoad _load = new();
    private readonly EventLoop _loop;

    public EventLoopTests() => _loop = new EventLoop("a loop of tests", _load, NullLogger.Instance);

    public void Dispose()
    {
        _loop.Dispose();
        _load.Dispose();
        _sockets.Dispose();
    }

    /// <summary>Thousands whose time is over do not all end, and come back, in one moment.</summary>
    [Fact]
    public async Task Sweep_HoweverOftenTheLoopTurns_AsksEachOnceASecond()
    {
        long began = Environment.TickCount64;
        using var loop = new EventLoop("another loop of tests", _load, NullLogger.Instance);
        var source = new Source(loop) { Descriptor = _sockets.Descriptor };
        for (int i = 0; i < 200; i++)
        {
            await TurnAsync(loop, source);
        }

        int sweeps = source.Sweeps;
        Assert.InRange(sweeps, 0, 1 + ((Environment.TickCount64 - began) / 1000));
    }

    [Fact]
    public async Task SweepAll_OfWhatIsInTheLoop_AsksItUntilItIsTakenOut()
    {
        var source = new Source(_loop) { Descriptor = _sockets.Descriptor };
        await TurnAsync(_loop, source);
        _loop.SweepAll();
        await Waiting.UntilAsync(() => source.Sweeps > 0);
        Assert.True(source.LastSweep <= Environment.TickCount64);

        source.IsLeaving = true;
        await TurnAsync(_loop, source);
        await TurnAsync(_loop, source); // all that the one before asked for is done by now
        int sweeps = source.Sweeps;
        _loop.SweepAll();
        await TurnAsync(_loop, source);
        await TurnAsync(_loop, source);
        Assert.Equal(sweeps, source.Sweeps);
    }

    /// <summary>What throws fails by itself, and the others go on.</summary>
    [Fact]
    public async Task Post_OfWhatThrows_FailsItAlone()
    {
        var faulty = new Source(_loop) { Descriptor = _sockets.Descriptor, IsFaulty = true };
        var good = new Source(_loop) { Descriptor = _sockets.Descriptor };
        _loop.Post(faulty);
        _loop.Post(good);

        await good.Turn.Task.InTimeAsync();
        Assert.Equal((true, false), (faulty.HasFailed, good.HasFailed));
    }

    [Fact]
    public void Post_AfterTheEnd_DoesNothing()
    {
        var loop = new EventLoop("a loop that ends", _load, NullLogger.Instance);
        var source = new Source(loop) { Descriptor = _sockets.Descriptor };
        loop.Dispose();
        loop.Post(source);
        loop.SweepAll();

        Assert.False(source.Turn.Task.IsCompleted);
    }

    /// <summary>Says once a minute that no client can be accepted, and the first time at once.</summary>
    [Fact]
    public async Task OutOfDescriptors_AgainAndAgain_IsSaidOnceAMinute()
    {
        await using var loops = new LoopsUnderTest();
        loops.Group.OutOfDescriptors();
        loops.Group.OutOfDescriptors();

        Assert.Contains("LimitNOFILE", Assert.Single(loops.Log.Said), StringComparison.Ordinal);
    }

    /// <summary>Posts it, and returns when it had its turn.</summary>
    private static async Task TurnAsync(EventLoop loop, Source source)
    {
        source.Turn = Signal();
        loop.Post(source);
        await source.Turn.Task.InTimeAsync();
    }

    /// <summary>Whoever waits for it goes on elsewhere than on the loop.</summary>
    private static TaskCompletionSource Signal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Source(EventLoop loop) : LoopSource
    {
        private bool _isIn;
        private int _sweeps;

        public TaskCompletionSource Turn { get; set; } = Signal();

        public bool IsLeaving { get; set; }

        public bool IsFaulty { get; init; }

        public bool HasFailed { get; private set; }

        public int Sweeps => Volatile.Read(ref _sweeps);

        public long LastSweep { get; private set; }

        public override void Ready(Readiness readiness)
        {
        }

        public override void Posted()
        {
            if (IsFaulty)
            {
                throw new InvalidOperationException("a fault");
            }

            if (!_isIn)
            {
                loop.Add(this, Readiness.Input);
                _isIn = true;
            }
            else if (IsLeaving)
            {
                loop.Remove(this);
            }

            Turn.SetResult();
        }

        public override void Sweep(long now)
        {
            LastSweep = now;
            Interlocked.Increment(ref _sweeps);
        }

        public override void Fail() => HasFailed = true;
    }
}
