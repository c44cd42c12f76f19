using System.Globalization;
using Breakwater.Proxy.Threading;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Threading;

/// <summary>How long threads wait for a processor, as the kernel counts it; and on which threads work goes on.</summary>
public sealed class ServingLoadTests
{
    /// <summary>Of this thread: between what the kernel says before and after.</summary>
    [Fact]
    public void Waited_OfThreads_IsWhatTheKernelCounts()
    {
        using var load = new ServingLoad();
        Assert.Equal((0, TimeSpan.Zero), (load.Threads, load.Waited));
        load.AddCurrentThread();
        Assert.Equal(1, load.Threads);

        TimeSpan before = WaitedByThisThread();
        TimeSpan waited = load.Waited;
        Assert.InRange(waited, before, WaitedByThisThread());

        load.AddCurrentThread();
        Assert.Equal(2, load.Threads);
        Assert.InRange(load.Waited, 2 * before, 2 * WaitedByThisThread());
    }

    [Fact]
    public async Task Waited_OfAThreadThatHasEnded_CountsNoMore()
    {
        using var load = new ServingLoad();
        var thread = new Thread(load.AddCurrentThread);
        thread.Start();
        Assert.True(thread.Join(Waiting.Hang));

        await Waiting.UntilAsync(() => load.Waited == TimeSpan.Zero); // the kernel ends it a moment later
        Assert.Equal(1, load.Threads);
    }

    [Fact]
    public void Dispose_LetsGoOfAllAndTakesNoMore()
    {
        var load = new ServingLoad();
        load.AddCurrentThread();
        load.Dispose();
        Assert.Equal((0, TimeSpan.Zero), (load.Threads, load.Waited));
        load.AddCurrentThread();

        Assert.Equal(0, load.Threads);
    }

    [Fact]
    public async Task ToPool_FromAnyThread_GoesOnInThePool()
    {
        TaskCompletionSource<bool> onThread = new(), inPool = new();
        var thread = new Thread(() =>
        {
            onThread.SetResult(ThreadHop.ToPool().IsCompleted);
            ThreadHop.ToPool().OnCompleted(() => inPool.SetResult(Thread.CurrentThread.IsThreadPoolThread));
        });
        thread.Start();

        Assert.False(await onThread.Task.InTimeAsync());
        Assert.True(await inPool.Task.InTimeAsync());
        Assert.True(await Task.Run(() => ThreadHop.ToPool().IsCompleted).InTimeAsync());
    }

    private static TimeSpan WaitedByThisThread() => TimeSpan.FromTicks(
        long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[1], CultureInfo.InvariantCulture) / 100);
}
