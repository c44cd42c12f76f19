using System.Diagnostics.Metrics;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Tests.TestSupport;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Prefetching;

/// <summary>What is fetched ahead beside clients that are busy, and that are not.</summary>
public sealed class PrefetchPaceTests : IDisposable
{
    private const int Piece = 1 << 20;

    /// <summary>Ten milliseconds' of objects without bytes, and the one that begins at their end.</summary>
    private const int WithinTheCredit = 11;

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeTimeProvider _time = new();
    private readonly ProxyCounters _counters;
    private readonly PrefetchPace _pace;

    public PrefetchPaceTests()
    {
        _counters = new ProxyCounters(_services.GetRequiredService<IMeterFactory>());
        _pace = new PrefetchPace(_counters, _time);
    }

    public void Dispose()
    {
        _pace.Dispose();
        _counters.Dispose();
        _services.Dispose();
    }

    [Theory]
    [InlineData(100, 199, 100)]
    [InlineData(100, 200, WithinTheCredit)]
    [InlineData(1000, 1999, 100)]
    [InlineData(1000, 2000, WithinTheCredit)]
    [InlineData(99, 500, 100)] // too soon to say
    public async Task Objects_BesideClientsThatAreBusy_BeginOneByOneBeyondTheCredit(int milliseconds, int hits, int begun)
    {
        Pass(milliseconds, hits);

        Assert.Equal(begun, await BegunAtOnceAsync(100));
    }

    /// <summary>Ten milliseconds' less an object's cost: with these bytes it is paid for at this very moment, or one tick later.</summary>
    [Theory]
    [InlineData(151_390, 1)]
    [InlineData(151_392, 0)]
    public async Task Object_ThatIsPaidForJustNow_LetsTheNextBegin(int bytes, int begun)
    {
        Pass(100, 300);
        await Wait().InTimeAsync();
        _pace.Charge(bytes);

        Assert.Equal(begun, await BegunAtOnceAsync(100));
    }

    [Fact]
    public async Task Objects_BesideClientsThatAreBusy_BringSoManyBytesASecond()
    {
        Pass(100, 300);
        long began = _time.GetTimestamp();
        for (int i = 0; i < 48; i++)
        {
            await PassAsync(Wait(), hits: 3);
            _pace.Charge(Piece);
        }

        await PassAsync(Wait(), hits: 3);

        // 48 MiB at 16 MiB a second, and for each object what it costs beside its bytes
        Assert.InRange(_time.GetElapsedTime(began).TotalSeconds, 3.02, 3.5);
    }

    [Fact]
    public async Task Objects_ThatCostLittle_CostSomething()
    {
        Pass(100, 300);
        long began = _time.GetTimestamp();
        for (int i = 0; i < 1024; i++)
        {
            await PassAsync(Wait(), hits: 3);
        }

        Assert.True(_time.GetElapsedTime(began).TotalSeconds > 0.98);
    }

    [Fact]
    public async Task Clients_ThatAreQuietAgain_LetItGoOnAndForgetWhatWasOwed()
    {
        Pass(100, 300);
        await Wait().InTimeAsync();
        _pace.Charge(1 << 30);
        Task late = Wait();
        for (int i = 0; i < 100; i++)
        {
            Pass(10, 30);
        }

        Assert.False(late.IsCompleted);
        long began = _time.GetTimestamp();
        await PassAsync(late, hits: 0);
        Assert.InRange(_time.GetElapsedTime(began).TotalSeconds, 0, 0.5);

        Pass(100, 300);
        Assert.Equal(WithinTheCredit, await BegunAtOnceAsync(100));
    }

    [Fact]
    public async Task Wait_ThatIsStopped_LeavesTheNextItsTurn()
    {
        Pass(100, 300);
        Assert.Equal(WithinTheCredit, await BegunAtOnceAsync(100)); // the next is stopped

        await PassAsync(Wait(), hits: 3);
    }

    /// <summary>How many begin before one must wait; that one is stopped.</summary>
    private async Task<int> BegunAtOnceAsync(int most)
    {
        using var stop = new CancellationTokenSource();
        for (int begun = 0; begun < most; begun++)
        {
            Task next = Wait(stop.Token);
            if (!next.IsCompleted)
            {
                await stop.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.InTimeAsync());
                return begun;
            }

            await next.InTimeAsync();
        }

        return most;
    }

    private async Task PassAsync(Task task, int hits)
    {
        for (int i = 0; !task.IsCompleted && i < 10_000; i++)
        {
            Pass(1, hits);
        }

        await task.InTimeAsync();
    }

    private void Pass(int milliseconds, int hits)
    {
        for (int i = 0; i < hits; i++)
        {
            _counters.CountHitPathAnswer();
        }

        OneThread.Run(() => _time.Advance(TimeSpan.FromMilliseconds(milliseconds)));
    }

    private Task Wait(CancellationToken cancellationToken = default) => OneThread.Run(() => _pace.WaitAsync(cancellationToken));
}
