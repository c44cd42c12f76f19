using Breakwater.Proxy.Listening;

namespace Breakwater.Proxy.EventLoops;

/// <summary>
/// Tells a client that is slow from one that is stuck. The kernel says that a socket has room only when a third of its buffer is free, so
/// progress is seen by what it still holds for the client.
/// </summary>
internal struct ClientWatch
{
    private long _deadline; // ms
    private long _queued;   // bytes that the kernel held when the deadline was set

    /// <summary>Nothing is expected of the client.</summary>
    public static ClientWatch Resting => new() { _deadline = long.MaxValue };

    /// <summary>Is nothing expected of the client?</summary>
    public readonly bool IsResting => _deadline == long.MaxValue;

    /// <summary>By the deadline the client must have taken some of what the kernel holds for it now.</summary>
    /// <param name="socket">The client's.</param>
    /// <param name="patienceMs">Time until then, ms.</param>
    public void Expect(int socket, long patienceMs)
    {
        _queued = SocketSender.QueuedBytes(socket);
        _deadline = Environment.TickCount64 + patienceMs;
    }

    /// <summary>Nothing is expected of the client any more.</summary>
    public void Rest() => _deadline = long.MaxValue;

    /// <summary>Has the client taken too long for what was sent?</summary>
    /// <param name="now">Milliseconds of <see cref="Environment.TickCount64"/>.</param>
    /// <param name="socket">The client's.</param>
    /// <param name="patienceMs">How long one that takes next to nothing is waited for, ms.</param>
    public bool IsStuck(long now, int socket, long patienceMs)
    {
        if (now <= _deadline)
        {
            return false;
        }

        long before = _queued;
        Expect(socket, patienceMs);
        return before - _queued < patienceMs * ConnectionRules.StuckBytesPerSecond / 1000;
    }
}
