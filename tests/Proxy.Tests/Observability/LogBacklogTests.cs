using System.Buffers;
using Breakwater.Proxy.Observability.AccessLogs;
using Breakwater.Proxy.Outcomes;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Observability;

public sealed class LogBacklogTests
{
    /// <summary>What came before the end is written after it, however slow the disk was; what comes later is lost, and counted.</summary>
    [Fact]
    public async Task Dispose_WhileTheDiskIsSlow_WritesAllThatCameBefore()
    {
        using ManualResetEventSlim released = new();
        (long given, long lost, long written) = (0, 0, 0);
        var backlog = new LogBacklog(
            lines =>
            {
                Assert.True(released.Wait(Waiting.Hang));
                Interlocked.Add(ref written, lines.Length);
                return true;
            },
            lines => Interlocked.Add(ref lost, lines));
        Append();
        Task disposing = Task.Run(backlog.Dispose);
        await Waiting.UntilAsync(() =>
        {
            Append();
            return Interlocked.Read(ref lost) > 0;
        });

        released.Set();
        await disposing.InTimeAsync();

        await Waiting.UntilAsync(() => Interlocked.Read(ref written) >= given - 1);
        Assert.True(given > 1);
        Assert.Equal((1, given - 1), (lost, written));

        void Append()
        {
            RequestRecord[] one = [new RequestRecord { StartedAt = 1, EndedAt = 1, Result = RequestResult.Hit, Status = 200 }];
            given++;
            backlog.Append(one, (output, _) => output.Write("\n"u8));
        }
    }
}
