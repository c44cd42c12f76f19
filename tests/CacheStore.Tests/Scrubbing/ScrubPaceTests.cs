using Breakwater.CacheStore.Scrubbing;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.CacheStore.Tests.Scrubbing;

public sealed class ScrubPaceTests
{
    private static readonly TimeSpan s_moment = TimeSpan.FromMilliseconds(1);

    private readonly FakeTimeProvider _time = new();
    private TimeSpan _processorTime = TimeSpan.FromSeconds(100);

    /// <summary>What a moment of the clock sets free goes on in that moment, not later on some thread.</summary>
    public ScrubPaceTests() => SynchronizationContext.SetSynchronizationContext(null);

    [Fact]
    public void Spend_AsMuchAsTheRateAllows_IsNotHeldBack()
    {
        ScrubPace pace = NewPace();
        Advance(seconds: 0.5, usedSeconds: 0);

        Assert.True(pace.SpendAsync(500_000, CancellationToken.None).AsTask().IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Spend_MoreThanTheRateAllows_WaitsAsLongAsThatTakes()
    {
        ScrubPace pace = NewPace();
        Task first = pace.SpendAsync(300_000, CancellationToken.None).AsTask();
        _time.Advance(TimeSpan.FromSeconds(0.3) - s_moment);
        Assert.False(first.IsCompleted);
        _time.Advance(s_moment);
        await first;

        Task second = pace.SpendAsync(200_000, CancellationToken.None).AsTask();
        _time.Advance(TimeSpan.FromSeconds(0.2) - s_moment);
        Assert.False(second.IsCompleted);
        _time.Advance(s_moment);
        await second;
    }

    /// <summary>More than half a processor is a storm: the scrub stands still until a second has passed that was none.</summary>
    [Fact]
    public async Task Spend_WhileTheProcessIsBusy_StandsStill()
    {
        ScrubPace pace = NewPace();
        Advance(seconds: 1, usedSeconds: 0.51);
        Task spending = pace.SpendAsync(1, CancellationToken.None).AsTask();
        Assert.False(spending.IsCompleted);

        Advance(seconds: 1, usedSeconds: 0.51);
        Assert.False(spending.IsCompleted);

        Advance(seconds: 1, usedSeconds: 0.5);
        await spending;

        // What was let pass while it stood still is not made up for.
        Assert.False(pace.SpendAsync(100_000, CancellationToken.None).AsTask().IsCompleted);
    }

    [Fact]
    public void Spend_InTheFirstSecond_DoesNotLookAtTheProcessor()
    {
        ScrubPace pace = NewPace();
        Advance(seconds: 0.9, usedSeconds: 0.9);

        Assert.True(pace.SpendAsync(1, CancellationToken.None).AsTask().IsCompletedSuccessfully);
    }

    private ScrubPace NewPace() => new(bytesPerSecond: 1_000_000, _time, () => _processorTime);

    private void Advance(double seconds, double usedSeconds)
    {
        _processorTime += TimeSpan.FromSeconds(usedSeconds);
        _time.Advance(TimeSpan.FromSeconds(seconds));
    }
}
