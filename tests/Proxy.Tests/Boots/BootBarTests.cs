using Breakwater.Proxy.Boots;

namespace Breakwater.Proxy.Tests.Boots;

public class BootBarTests
{
    private readonly BootBar _bar = new();

    // 5: a VM with 57 % pause, 38 % joined, 5 % upstream showed 0 % pause.
    [Fact]
    public void Bar_OfAPauseCutByShortRequests_ShowsThePause()
    {
        for (int i = 0; i < 100; i++)
        {
            _bar.Add(i * 100, (i * 100) + 38, TimeUse.Joined);
            _bar.Add((i * 100) + 38, (i * 100) + 43, TimeUse.Upstream);
        }

        AssertShares(10_000, joined: 0.38, upstream: 0.05, between: 0.57);
    }

    [Fact]
    public void Bar_OfManyTinyHits_DoesNotLoseThem()
    {
        for (int i = 0; i < 20_000; i++)
        {
            _bar.Add(i, i + 0.03, TimeUse.Memory);
        }

        AssertShares(20_000, memory: 0.03, between: 0.97);
    }

    [Fact]
    public void Bar_OfALongRequestNotedAfterShortOnes_FillsTheHolesBetweenThem()
    {
        _bar.Add(0, 10, TimeUse.Memory);
        _bar.Add(40, 50, TimeUse.Memory);
        _bar.Add(60, 70, TimeUse.Memory);
        _bar.Add(10, 100, TimeUse.Upstream);

        AssertShares(100, memory: 0.3, upstream: 0.7);
    }

    [Fact]
    public void Bar_OfOverlappingRequests_CountsNoMomentTwice()
    {
        for (int i = 0; i < 16; i++)
        {
            _bar.Add(0, 50, TimeUse.Upstream);
        }

        AssertShares(100, upstream: 0.5, between: 0.5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(42)]
    public void Bar_OfAnyBoot_IsWholeAndExactAndSmall(int seed)
    {
        var random = new Random(seed);
        double[] spent = new double[6];
        double at = 0;
        for (int i = 0; i < 5000; i++)
        {
            double pause = random.NextDouble() * (random.Next(50) == 0 ? 4000 : 3);
            double takes = random.NextDouble() * (random.Next(20) == 0 ? 800 : 0.2);
            var use = (TimeUse)random.Next(1, 6);
            _bar.Add(at + pause, at + pause + takes, use);
            spent[0] += pause;
            spent[(int)use] += takes;
            at += pause + takes;
        }

        double[] shares = Shares(at);
        for (int use = 0; use < 6; use++)
        {
            Assert.Equal(spent[use] / at, shares[use], 0.005);
        }

        Assert.InRange(_bar.Write(at).Length, 2, 1000);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.001)]
    [InlineData(1_000_000)]
    public void Bar_OfAnyLength_IsWhole(double duration)
    {
        _bar.Add(0, duration, TimeUse.Disk);

        Assert.Equal(1, Shares(duration).Sum(), 6);
    }

    // Letter by letter: what lies in a cell, what is between, and how cells become one.
    [Theory]
    [InlineData(100, "w1000", "")]
    [InlineData(100, "m200w800", "0-10m 40-50m")]
    [InlineData(100, "m100w900", "-20-10m")]                                 // began before the boot's first request
    [InlineData(100, "w500d500", "50-100d")]
    [InlineData(100, "m500w500", "0-50m")]                                   // to the very end of a cell
    [InlineData(0, "d1000", "0-5d")]
    [InlineData(10_000, "m1w999", "0-10m")]                                  // as little as there is
    [InlineData(100, "x10u20j30d40m50w850", "0-5m 5-9d 9-12j 12-14u 14-15x")]
    [InlineData(2000, "d10m20w70u10j10w830u50", "0-40m 60-80d 210-230j 260-280u 1900-2000u")]  // longer cells: two became one
    [InlineData(3200, "m125w750x125", "0-400m 2800-3200x")]                  // just as long as the cells reach
    [InlineData(8000, "m5w945x10w40", "0-40m 7920-8000x")]                   // twice as long cells, three times
    public void Bar_OfFewRequests_IsThisText(double duration, string text, string requests)
    {
        foreach (string request in requests.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            int hyphen = request.IndexOf('-', 1);
            _bar.Add(int.Parse(request[..hyphen]), int.Parse(request[(hyphen + 1)..^1]),
                (TimeUse)BootBar.Letters.IndexOf(request[^1], StringComparison.Ordinal));
        }

        Assert.Equal(text, _bar.Write(duration));
        Assert.Equal(text, string.Concat(BootBar.Read(text).Select(part => $"{part.Letter}{part.Length}")));
    }

    [Fact]
    public void Bar_OfARequestWithinAHole_LeavesBothSidesOfItForOthers()
    {
        _bar.Add(0, 10, TimeUse.Memory);
        _bar.Add(40, 50, TimeUse.Memory);
        _bar.Add(20, 30, TimeUse.Upstream);     // in the hole
        _bar.Add(12, 35, TimeUse.Joined);       // over it: 12 to 20, and 30 to 35

        AssertShares(100, memory: 0.2, upstream: 0.1, joined: 0.13, between: 0.57);
    }

    [Fact]
    public void Bar_OfMoreHolesThanAreKept_FillsTheNewest()
    {
        for (int i = 1; i <= 10; i++)
        {
            _bar.Add(i * 10, (i * 10) + 5, TimeUse.Memory);     // behind a hole each: the first of 10 ms, the others of 5
        }

        _bar.Add(0, 105, TimeUse.Upstream);

        AssertShares(200, memory: 0.25, upstream: 0.2, between: 0.55);
    }

    private double[] Shares(double duration)
    {
        double[] shares = new double[6];
        foreach ((char letter, int length) in BootBar.Read(_bar.Write(duration)))
        {
            shares[BootBar.Letters.IndexOf(letter, StringComparison.Ordinal)] += (double)length / BootBar.Units;
        }

        return shares;
    }

    private void AssertShares(double duration, double between = 0, double memory = 0, double joined = 0, double upstream = 0)
    {
        double[] shares = Shares(duration);
        Assert.Equal(between, shares[(int)TimeUse.Between], 0.005);
        Assert.Equal(memory, shares[(int)TimeUse.Memory], 0.005);
        Assert.Equal(joined, shares[(int)TimeUse.Joined], 0.005);
        Assert.Equal(upstream, shares[(int)TimeUse.Upstream], 0.005);
    }
}
