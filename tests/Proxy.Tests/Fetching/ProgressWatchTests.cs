using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Tests.Fetching;

public class ProgressWatchTests
{
    private static readonly TimeSpan s_stall = TimeSpan.FromSeconds(1.5);

    [Fact]
    public void IsTooSlow_NoByteForTheStallTime_IsTrue()
    {
        var watch = new ProgressWatch(s_stall, TimeSpan.FromSeconds(3), TimeSpan.Zero);
        watch.Moved(100_000, TimeSpan.FromSeconds(1));

        Assert.False(watch.IsTooSlow(TimeSpan.FromSeconds(2.4)));
        Assert.True(watch.IsTooSlow(TimeSpan.FromSeconds(2.5)));
    }

    [Theory]
    [InlineData(200, true)]
    [InlineData(2000, false)]
    public void IsTooSlow_DrippingBelowWhatAClientBears_IsTrue(int bytesEachSecond, bool expected)
    {
        var watch = new ProgressWatch(s_stall, TimeSpan.FromSeconds(3), TimeSpan.Zero);
        bool isTooSlow = false;
        for (int second = 1; second <= 6; second++)
        {
            watch.Moved(bytesEachSecond + 100, TimeSpan.FromSeconds(second));
            isTooSlow |= watch.IsTooSlow(TimeSpan.FromSeconds(second));
        }

        Assert.Equal(expected, isTooSlow);
    }

    [Fact]
    public void IsTooSlow_PausedWhileWeMakeItWait_IsFalseAndTheClockStandsStill()
    {
        var watch = new ProgressWatch(s_stall, TimeSpan.FromSeconds(3), TimeSpan.Zero);
        watch.Moved(1, TimeSpan.FromSeconds(1));
        watch.Pause(TimeSpan.FromSeconds(1));

        Assert.False(watch.IsTooSlow(TimeSpan.FromSeconds(60)));

        watch.Resume(TimeSpan.FromSeconds(60));
        Assert.False(watch.IsTooSlow(TimeSpan.FromSeconds(61.4)));
        Assert.True(watch.IsTooSlow(TimeSpan.FromSeconds(61.5)));
    }

    [Fact]
    public void For_TheLastStratum1_IsPatientButNotWithOneThatDripsForEver()
    {
        ProgressWatch watch = ProgressWatch.For(mayMoveOn: false, new ProxyOptions(), TimeSpan.Zero);
        bool wasTooSlowEarly = false;
        for (int second = 1; second <= 9; second++)
        {
            watch.Moved(1, TimeSpan.FromSeconds(second));
            wasTooSlowEarly |= watch.IsTooSlow(TimeSpan.FromSeconds(second));
        }

        watch.Moved(1, TimeSpan.FromSeconds(10));
        Assert.False(wasTooSlowEarly);
        Assert.True(watch.IsTooSlow(TimeSpan.FromSeconds(10)));
    }
}
