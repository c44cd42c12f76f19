namespace Breakwater.ClusterSim;

/// <summary>What happens when: events in the order of their times, those of one moment in the order in which they were made.</summary>
internal sealed class Clock
{
    private readonly PriorityQueue<Action, (long At, long Number)> _events = new();
    private long _number;

    /// <summary>The time.</summary>
    public VirtualTime Time { get; } = new();

    /// <summary>Microseconds since the beginning.</summary>
    public long Now => Time.Now;

    /// <summary>Does something after so many microseconds.</summary>
    public void After(long microseconds, Action what) => _events.Enqueue(what, (Now + Math.Max(0, microseconds), _number++));

    /// <summary>Goes on until the condition holds, or nothing happens any more.</summary>
    public void Run(Func<bool> isOver)
    {
        while (!isOver() && _events.TryDequeue(out Action? what, out (long At, long Number) when))
        {
            Time.Now = when.At;
            what();
        }
    }
}
