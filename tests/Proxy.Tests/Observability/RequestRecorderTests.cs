using System.Diagnostics.Metrics;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.Tests.Observability;

public sealed class RequestRecorderTests
{
    [Fact]
    public void Record_TextsBeyondTheirBytes_AreCountedAndNotKept()
    {
        using ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var recorder = new RequestRecorder(services.GetRequiredService<IMeterFactory>(), TimeProvider.System) { KeepsRecords = true };
        string target = new('x', 8 << 10);
        const int Count = 60_000; // 1 GB of URLs, more than any number of stripes keeps
        for (int i = 0; i < Count; i++)
        {
            recorder.Record(
                new RequestRecord
                {
                    StartedAt = 1,
                    EndedAt = 2,
                    Result = RequestResult.Refused,
                    Status = 400,
                    Target = target,
                    PathHint = target,
                    UserAgent = target
                });
        }

        List<RequestRecord> kept = [];
        recorder.Drain(kept);

        Assert.Equal(Count, kept.Count + recorder.Dropped);
        Assert.InRange(kept.Sum(record => (long)record.TextBytes), 1, 16L * RequestRecorder.StripeTextBytes);
        Assert.All(kept, record => Assert.Equal(RequestRecord.MaxTextChars, record.PathHint!.Length));
        recorder.Record(new RequestRecord { StartedAt = 1, EndedAt = 2, Result = RequestResult.Refused, Status = 400 });
        kept.Clear();
        recorder.Drain(kept);
        Assert.Single(kept); // a drain makes room again
    }

    [Fact]
    public void Drain_ARecordThatCameLate_StandsInTheOrderOfTheEnds()
    {
        using ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var recorder = new RequestRecorder(services.GetRequiredService<IMeterFactory>(), TimeProvider.System) { KeepsRecords = true };
        foreach (long end in (long[])[7, 3, 5, 9, 4, 8, 6])
        {
            recorder.Record(new RequestRecord { StartedAt = 1, EndedAt = end, Result = RequestResult.Refused, Status = 400 });
        }

        List<RequestRecord> kept = [];
        recorder.Drain(kept);
        Assert.Equal([3, 4, 5, 6, 7, 8, 9], kept.Select(record => record.EndedAt));
    }
}
