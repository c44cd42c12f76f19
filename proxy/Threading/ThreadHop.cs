using System.Runtime.CompilerServices;

namespace Breakwater.Proxy.Threading;

/// <summary>
/// The threads of event loops, and of sockets that complete inline (docs/develop/adr), must never block: whoever does more than a hit hops
/// to the thread pool first.
/// </summary>
internal readonly struct ThreadHop : ICriticalNotifyCompletion
{
    /// <summary>Goes on in the thread pool; at once when already there.</summary>
    public static ThreadHop ToPool() => default;

    public bool IsCompleted => Thread.CurrentThread.IsThreadPoolThread;

    public ThreadHop GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) =>
        ThreadPool.QueueUserWorkItem(static action => action(), continuation, preferLocal: false);

    public void UnsafeOnCompleted(Action continuation) =>
        ThreadPool.UnsafeQueueUserWorkItem(static action => action(), continuation, preferLocal: false);
}
