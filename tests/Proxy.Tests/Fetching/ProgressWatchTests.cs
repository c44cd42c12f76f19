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

    /// <summary>2,048 B/s over the window, judged at its end to the byte; then the next window begins.</summary>
    [Theory]
    [InlineData(0, 3, false)]
    [InlineData(-1, 3, true)]
    [InlineData(-1, 2.999, false)]
    [InlineData(0, 3.001, true)]
    public void IsTooSlow_AtTheEndOfTheWindow_IsBelowTwiceWhatAClientBears(int more, double seconds, bool expected)
    {
        var watch = new ProgressWatch(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(3), TimeSpan.Zero);
        watch.Moved((3 * 2048) + more, TimeSpan.FromSeconds(1));

        Assert.Equal(expected, watch.IsTooSlow(TimeSpan.FromSeconds(seconds)));
    }

    [Fact]
    public void IsTooSlow_EachWindow_IsJudgedByItself()
    {
        var watch = new ProgressWatch(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10));
        watch.Moved(1_000_000, TimeSpan.FromSeconds(12));
        Assert.False(watch.IsTooSlow(TimeSpan.FromSeconds(13)));
        Assert.False(watch.IsTooSlow(TimeSpan.FromSeconds(15.9)));
        Assert.True(watch.IsTooSlow(TimeSpan.FromSeconds(16))); // what came before does not count
        watch.Moved((3 * 2048) - 1, TimeSpan.FromSeconds(17));
        Assert.True(watch.IsTooSlow(TimeSpan.FromSeconds(19)));
        watch.Moved(3 * 2048, TimeSpan.FromSeconds(20));
        Assert.False(watch.IsTooSlow(TimeSpan.FromSeconds(22)));
    }

    [Fact]
    public void Resume_AfterAPause_TheWindowStoodStillToo()
    {
        var watch = new ProgressWatch(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(3), TimeSpan.Zero);
        watch.Pause(TimeSpan.FromSeconds(1));
        watch.Resume(TimeSpan.FromSeconds(5));
        watch.Resume(TimeSpan.FromSeconds(50)); // it runs already

        Assert.False(watch.IsTooSlow(TimeSpan.FromSeconds(6.9)));
        Assert.True(watch.IsTooSlow(TimeSpan.FromSeconds(7)));
    }

    [Fact]
    public void For_OneOfSeveral_IsLeftAfterTheTimeOfTheFirstByte()
    {
        var options = new ProxyOptions { FirstByteTimeout = TimeSpan.FromSeconds(2), FetchPatience = TimeSpan.FromSeconds(8) };
        ProgressWatch watch = ProgressWatch.For(mayMoveOn: true, options, TimeSpan.FromSeconds(1));
        Assert.False(watch.IsTooSlow(TimeSpan.FromSeconds(2.9)));
        Assert.True(watch.IsTooSlow(TimeSpan.FromSeconds(3)));

        ProgressWatch last = ProgressWatch.For(mayMoveOn: false, options, TimeSpan.Zero);
        Assert.False(last.IsTooSlow(TimeSpan.FromSeconds(7.9)));
        last.Hurry(options); // there is another after all
        Assert.True(last.IsTooSlow(TimeSpan.FromSeconds(7.9)));
    }

    [Fact]
    public void Hurry_BytesThatDrip_AreJudgedInTheShortWindow()
    {
        ProgressWatch watch = ProgressWatch.For(mayMoveOn: false, new ProxyOptions(), TimeSpan.Zero);
        watch.Hurry(new ProxyOptions());
        watch.Moved(1, TimeSpan.FromSeconds(2.9));
        Assert.False(watch.IsTooSlow(TimeSpan.FromSeconds(2.9)));
        Assert.True(watch.IsTooSlow(TimeSpan.FromSeconds(3)));
    }

    [Fact]
    public void ForNode_Silence_HasLongerThanAStratum1()
    {
        ProgressWatch watch = ProgressWatch.ForNode(TimeSpan.FromSeconds(1));
        Assert.False(watch.IsTooSlow(TimeSpan.FromSeconds(3.4)));
        Assert.True(watch.IsTooSlow(TimeSpan.FromSeconds(3.5)));
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
