using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Tests.TestSupport;
using Breakwater.Proxy.Threading;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>Long bodies of ordinary HTTP beside clients that are busy, and that are not.</summary>
public sealed class GivingWayTests
{
    private const int Threads = BusyThreads.Count;
    private const int Piece = 1 << 20;

    private readonly FakeTimeProvider _time = new();
    private readonly BusyThreads _load;
    private readonly GivingWay _way;

    public GivingWayTests()
    {
        _load = new BusyThreads(_time);
        _way = new GivingWay(_load, _time);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(0.09, false)]
    [InlineData(0.11, true)]
    public async Task Clients_ThatHaveTheirProcessors_HoldNothingBack(double share, bool holds)
    {
        await WaitForProcessorsAsync(share);

        Task paid = Pay(100 * Piece, CancellationToken.None);
        Assert.Equal(holds, !paid.IsCompleted);
        await PassAsync(paid);
    }

    /// <summary>What was so long ago says nothing of now.</summary>
    [Theory]
    [InlineData(49, false)]
    [InlineData(50, true)]
    [InlineData(199, true)]
    [InlineData(200, false)]
    public async Task Clients_ThatWereBusy_HoldBackWhatComesSoonAfterALook(int milliseconds, bool holds)
    {
        _load.Share = 0.5;
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));

        Task paid = Pay(100 * Piece, CancellationToken.None);

        Assert.Equal(holds, !paid.IsCompleted);
        await PassAsync(paid);
    }

    [Fact]
    public async Task NobodyServesOnThreadsOfItsOwn_NothingIsHeldBack()
    {
        var way = new GivingWay(new ServingLoad(), _time);

        await way.PayAsync(int.MaxValue, CancellationToken.None).AsTask().InTimeAsync();
    }

    [Fact]
    public async Task Clients_ThatAreBusy_LeaveSoManyBytesASecond()
    {
        await WaitForProcessorsAsync(0.5);
        long began = _time.GetTimestamp();
        const int Pieces = 3 * Threads * (int)(GivingWay.BytesPerSecond / Piece);

        for (int i = 0; i < Pieces; i++)
        {
            await PassAsync(Paid());
        }

        Assert.InRange(_time.GetElapsedTime(began).TotalSeconds, 2.9, 3.1);
    }

    [Fact]
    public async Task Bodies_HoweverMany_ShareThem()
    {
        await WaitForProcessorsAsync(0.5);
        long began = _time.GetTimestamp();

        await PassAsync(Task.WhenAll(Enumerable.Range(0, Threads * (int)(GivingWay.BytesPerSecond / Piece)).Select(_ => Paid())));

        Assert.InRange(_time.GetElapsedTime(began).TotalSeconds, 0.9, 1.1);
    }

    [Fact]
    public async Task Clients_ThatAreQuietAgain_LetItGoOnAtOnce()
    {
        await WaitForProcessorsAsync(0.5);
        Task late = Pay(int.MaxValue, CancellationToken.None);
        for (int i = 0; i < 100; i++)
        {
            OneThread.Run(() => _time.Advance(TimeSpan.FromMilliseconds(10)));
        }

        Assert.False(late.IsCompleted);
        _load.Share = 0;
        long began = _time.GetTimestamp();

        await PassAsync(late);

        Assert.InRange(_time.GetElapsedTime(began).TotalSeconds, 0, 0.2);
    }

    [Fact]
    public async Task Wait_OfABodyThatIsStopped_Ends()
    {
        await WaitForProcessorsAsync(0.5);
        using var stopping = new CancellationTokenSource();
        Task late = Pay(int.MaxValue, stopping.Token);
        await stopping.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => late.InTimeAsync());
    }

    [Fact]
    public void ThreadThatServes_IsSeenToWait()
    {
        using var load = new ServingLoad();
        TimeSpan before = load.Waited;
        bool isSeen = false;
        var threads = Enumerable.Range(0, 4 * Environment.ProcessorCount).Select(_ => new Thread(() =>
        {
            load.AddCurrentThread();
            long began = Environment.TickCount64;
            while (!Volatile.Read(ref isSeen) && Environment.TickCount64 - began < Waiting.Hang.TotalMilliseconds)
            {
                if (load.Waited > TimeSpan.Zero)
                {
                    Volatile.Write(ref isSeen, true);
                }
            }
        })).ToList();

        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());

        Assert.Equal(TimeSpan.Zero, before);
        Assert.Equal(threads.Count, load.Threads);
        Assert.True(isSeen);
    }

    private async Task WaitForProcessorsAsync(double share)
    {
        _load.Share = share;
        for (int i = 0; i < 5; i++)
        {
            await PassAsync(Pay(0, CancellationToken.None));
            _time.Advance(GivingWay.Look);
        }
    }

    private Task Paid() => Pay(Piece, CancellationToken.None);

    private Task Pay(int bytes, CancellationToken cancellationToken) =>
        OneThread.Run(() => _way.PayAsync(bytes, cancellationToken).AsTask());

    private async Task PassAsync(Task task)
    {
        for (int i = 0; !task.IsCompleted && i < 10_000; i++)
        {
            OneThread.Run(() => _time.Advance(TimeSpan.FromMilliseconds(1)));
        }

        await task.InTimeAsync();
    }
}
