namespace Breakwater.Proxy.Tests.TestSupport;

/// <summary>
/// What waits on a fake clock goes on within the step of the clock that it waited for: without a context of the test's, an await that was
/// begun here and a timer that ends it here need no other thread. Else the clock is far ahead before a busy machine has one.
/// </summary>
internal static class OneThread
{
    /// <summary>Begins something that waits, or steps the clock.</summary>
    public static T Run<T>(Func<T> step)
    {
        SynchronizationContext? context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            return step();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    /// <inheritdoc cref="Run{T}(Func{T})"/>
    public static void Run(Action step) => Run(() =>
    {
        step();
        return true;
    });
}
