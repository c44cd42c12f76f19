namespace Breakwater.Proxy.EventLoops;

/// <summary>
/// The connections of a loop that wait for the same object. They are thousands in a storm: one piece of work wakes them all, a few at a
/// time, in the order in which they came; in between the loop hears who has read its answer and wants the next object, so that this one is
/// fetched while the others are still served.
/// </summary>
internal sealed class LoopFollowers : ILoopWork
{
    private const int AtOnce = 16;

    private readonly EventLoop _loop;
    private readonly Task _change;
    private readonly List<LoopConnection> _connections = [];
    private int _served;

    public LoopFollowers(EventLoop loop, Task change)
    {
        _loop = loop;
        _change = change;
        change.GetAwaiter().UnsafeOnCompleted(() => loop.Post(this));
    }

    /// <summary>One more.</summary>
    public void Add(LoopConnection connection) => _connections.Add(connection);

    /// <inheritdoc/>
    public void Posted()
    {
        if (_served == 0)
        {
            _loop.Forget(_change);
        }

        for (int i = 0; i < AtOnce && _served < _connections.Count; i++)
        {
            _loop.Serve(_connections[_served++]);
        }

        if (_served < _connections.Count)
        {
            _loop.Post(this);
        }
    }

    /// <inheritdoc/>
    public void Fail()
    {
    }
}
