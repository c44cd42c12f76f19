using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Tests.Observability;

public class ServiceTimesTests
{
    private readonly long[] _none = new long[ServiceTimes.Length];

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(77)]
    [InlineData(1_000)]
    [InlineData(3_750_000)]
    [InlineData(4_000_000_000)]
    public void Percentile_OneTime_IsItWithinATenth(long micros)
    {
        long[] counts = new long[ServiceTimes.Length];
        counts[ServiceTimes.IndexOf(ServiceKind.Hit, TimeSpan.FromMicroseconds(micros))]++;

        foreach (double share in (double[])[0.05, 0.5, 0.95, 1])
        {
            double found = ServiceTimes.Percentile(counts, _none, ServiceKind.Hit, share).TotalMicroseconds;
            Assert.InRange(found, 0.88 * micros, 1.13 * micros);
        }

        Assert.Equal(TimeSpan.Zero, ServiceTimes.Percentile(counts, _none, ServiceKind.Miss, 0.5));
        Assert.Equal(TimeSpan.Zero, ServiceTimes.Percentile(counts, counts, null, 0.5));
    }

    [Fact]
    public void Percentile_ManyTimes_IsThatOfTheDifference()
    {
        long[] then = new long[ServiceTimes.Length];
        then[ServiceTimes.IndexOf(ServiceKind.Hit, TimeSpan.FromSeconds(10))] = 1_000;
        long[] now = [.. then];
        for (int millis = 1; millis <= 100; millis++)
        {
            now[ServiceTimes.IndexOf(millis <= 50 ? ServiceKind.Hit : ServiceKind.Miss, TimeSpan.FromMilliseconds(millis))]++;
        }

        Assert.InRange(ServiceTimes.Percentile(now, then, null, 0.5).TotalMilliseconds, 44, 57);
        Assert.InRange(ServiceTimes.Percentile(now, then, ServiceKind.Hit, 0.5).TotalMilliseconds, 22, 29);
        Assert.InRange(ServiceTimes.Percentile(now, then, ServiceKind.Miss, 0.95).TotalMilliseconds, 86, 110);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(long.MaxValue)]
    [InlineData(-5)]
    public void IndexOf_AnyTime_IsWithinItsKind(long ticks)
    {
        foreach (ServiceKind kind in Enum.GetValues<ServiceKind>())
        {
            Assert.Equal((int)kind, ServiceTimes.IndexOf(kind, TimeSpan.FromTicks(ticks)) / (ServiceTimes.Length / 5));
        }
    }

    [Fact]
    public void KindOf_EveryResult_IsSquids()
    {
        Assert.Equal(ServiceKind.Hit, ServiceTimes.KindOf(RequestResult.Hit, 200));
        Assert.Equal(ServiceKind.NotModified, ServiceTimes.KindOf(RequestResult.Hit, 304));
        Assert.Equal(ServiceKind.NearHit, ServiceTimes.KindOf(RequestResult.Revalidated, 304));
        Assert.Equal(ServiceKind.Miss, ServiceTimes.KindOf(RequestResult.Miss, 200));
        Assert.Equal(ServiceKind.Miss, ServiceTimes.KindOf(RequestResult.PassedThrough, 200));
        Assert.Equal(ServiceKind.Other, ServiceTimes.KindOf(RequestResult.Refused, 403));
    }
}
