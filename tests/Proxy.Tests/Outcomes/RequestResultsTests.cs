using System.Diagnostics.Metrics;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.Tests.Outcomes;

/// <summary>What counts as a hit is defined once.</summary>
public sealed class RequestResultsTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public void Dispose() => _services.Dispose();

    [Fact]
    public void IsHit_EachResult_IsAHitOrAskedForOrSaysNothing()
    {
        RequestResult[] all = Enum.GetValues<RequestResult>();
        Assert.Equal(
            [RequestResult.Hit, RequestResult.Joined, RequestResult.Held, RequestResult.Stale, RequestResult.Negative],
                all.Where(r => r.IsHit));
        Assert.Equal(
            [RequestResult.Miss, RequestResult.Revalidated, RequestResult.PassedThrough, RequestResult.Failed],
                all.Where(r => r.WasAskedFor));
    }

    [Fact]
    public void HitRatio_HeldCountsAndRefusalsDoNot_InRequestsAndInBytes()
    {
        RequestRecorder recorder = new(_services.GetRequiredService<IMeterFactory>(), TimeProvider.System);
        Assert.Equal((null, null), recorder.HitRatio()); // a share of nothing
        foreach ((RequestResult result, long bytes) in new[]
        {
            (RequestResult.Held, 300L), (RequestResult.Miss, 100L), (RequestResult.Refused, 9000L), (RequestResult.ClientGone, 9000L),
            (RequestResult.Local, 9000L),
        })
        {
            recorder.Record(new RequestRecord { StartedAt = 1, EndedAt = 2, Result = result, Status = 200, BytesSent = bytes });
        }

        Assert.Equal((0.5, 0.75), recorder.HitRatio());
    }
}
