using System.Buffers;
using Breakwater.Proxy.Observability.AccessLogs;
using Breakwater.Proxy.Outcomes;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Observability;

public sealed class LogBacklogTests
{
    private static readonly RequestRecord[] s_one =
        [new RequestRecord { StartedAt = 1, EndedAt = 1, Result = RequestResult.Hit, Status = 200 }];

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
            given++;
            backlog.Append(s_one, (output, _) => output.Write("\n"u8));
        }
    }

    /// <summary>What waits is bounded to the byte, but for the last lines, which are whole.</summary>
    [Fact]
    public async Task Append_WhileAsMuchWaitsAsMay_LosesTheLines()
    {
        var entered = new Gate();
        using ManualResetEventSlim released = new();
        (int lost, long written) = (0, 0);
        var backlog = new LogBacklog(
            lines =>
            {
                _ = entered.PassAsync();
                Assert.True(released.Wait(Waiting.Hang));
                Interlocked.Add(ref written, lines.Length);
                return true;
            },
            lines => Interlocked.Add(ref lost, (int)lines));
        Append(1);
        await entered.Reached;

        Append(LogBacklog.MaxBytes - 1);
        Append(1);
        int lostBefore = lost;
        Append(1);
        int lostAfter = lost;
        released.Set(); // before anything can fail: the thread would end the process
        await Task.Run(backlog.Dispose).InTimeAsync();

        Assert.Equal((0, 1), (lostBefore, lostAfter));
        await Waiting.UntilAsync(() => Interlocked.Read(ref written) == 1 + LogBacklog.MaxBytes);

        void Append(int bytes) => backlog.Append(s_one, (output, _) => output.Write(new byte[bytes]));
    }
}
