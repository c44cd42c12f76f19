namespace Breakwater.TestSupport;

/// <summary>
/// Orders a test without sleeps: the one side arrives and waits, the other sees the arrival and opens. Open once, stays open.
/// Thread-safe.
/// </summary>
public sealed class Gate
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Complete as soon as somebody has arrived at the gate, open or not. It fails when nobody comes.</summary>
    public Task Reached => _reached.Task.InTimeAsync(what: "somebody at the gate");

    /// <summary>Complete as soon as the gate is open.</summary>
    public Task Opened => _opened.Task;

    /// <summary>Lets everybody through, now and later.</summary>
    public void Open() => _opened.TrySetResult();

    /// <summary>Arrives at the gate and waits until it is open.</summary>
    public Task PassAsync()
    {
        _reached.TrySetResult();
        return _opened.Task;
    }
}
