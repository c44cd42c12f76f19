namespace Breakwater.CacheStore.Scrubbing;

/// <summary>Holds a scrub to its rate, and stands still while the process is busy with its real work.</summary>
/// <param name="bytesPerSecond">The rate.</param>
/// <param name="time">The clock.</param>
/// <param name="processorTime">What the process has used so far; null: what the system says.</param>
internal sealed class ScrubPace(long bytesPerSecond, TimeProvider time, Func<TimeSpan>? processorTime = null)
{
    /// <summary>A process that uses more than half a processor is serving a storm.</summary>
    private const double BusyShareOfProcessor = 0.5;

    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);

    private long _start = time.GetTimestamp();
    private long _bytes;
    private TimeSpan _processorTime = UsedSoFar(processorTime);

    /// <summary>Waits as long as the rate asks for after so many bytes were read.</summary>
    public async ValueTask SpendAsync(long bytes, CancellationToken cancellationToken)
    {
        _bytes += bytes;
        TimeSpan due = TimeSpan.FromSeconds((double)_bytes / bytesPerSecond);
        TimeSpan passed = time.GetElapsedTime(_start);
        if (due > passed)
        {
            await Task.Delay(due - passed, time, cancellationToken);
        }

        if (time.GetElapsedTime(_start) >= s_look)
        {
            while (IsBusy())
            {
                await Task.Delay(s_look, time, cancellationToken);
            }
        }
    }

    private bool IsBusy()
    {
        TimeSpan used = UsedSoFar(processorTime) - _processorTime;
        TimeSpan passed = time.GetElapsedTime(_start);
        _processorTime += used;
        _start = time.GetTimestamp();
        _bytes = 0;
        return used > passed * BusyShareOfProcessor;
    }

    private static TimeSpan UsedSoFar(Func<TimeSpan>? processorTime) => processorTime?.Invoke() ?? Environment.CpuUsage.TotalTime;
}
