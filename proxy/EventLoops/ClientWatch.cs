namespace Breakwater.Proxy.EventLoops;

/// <summary>
/// Tells a client that is slow from one that is stuck. The kernel says that a socket has room only when a third of its buffer is free, so
/// progress is seen by what it still holds for the client.
/// </summary>
internal struct ClientWatch
{
    /// <summary>Whoever takes less than this many bytes a second all the time is stuck, not slow (Kestrel's default).</summary>
    private const long StuckBytesPerSecond = 240;

    private const long StuckMs = 30_000;

    private long _deadline; // ms
    private long _queued;   // bytes that the kernel held when the deadline was set

    /// <summary>Nothing is expected of the client.</summary>
    public static ClientWatch Resting => new() { _deadline = long.MaxValue };

    /// <summary>By the deadline the client must have taken some of what the kernel holds for it now.</summary>
    public void Expect(int socket)
    {
        _queued = SocketSender.QueuedBytes(socket);
        _deadline = Environment.TickCount64 + StuckMs;
    }

    /// <summary>Nothing is expected of the client any more.</summary>
    public void Rest() => _deadline = long.MaxValue;

    /// <summary>Has the client taken too long for what was sent?</summary>
    /// <param name="now">Milliseconds of <see cref="Environment.TickCount64"/>.</param>
    /// <param name="socket">The client's.</param>
    public bool IsStuck(long now, int socket)
    {
        if (now <= _deadline)
        {
            return false;
        }

        long before = _queued;
        Expect(socket);
        return before - _queued < StuckMs / 1000 * StuckBytesPerSecond;
    }
}
