using Breakwater.Laboratory.Net;

namespace Breakwater.Storm.Limit;

/// <summary>Accepts for one loop of a <see cref="LimitServer"/>.</summary>
internal sealed class LimitListener : Endpoint
{
    private readonly EventLoop _loop;
    private readonly LimitServer _server;

    public LimitListener(int fd, EventLoop loop, LimitServer server)
    {
        (Fd, _loop, _server) = (fd, loop, server);
    }

    /// <inheritdoc/>
    public override void OnReady(uint events)
    {
        for (int fd; (fd = Native.Accept(Fd)) >= 0;)
        {
            _ = new LimitConnection(fd, _loop, _server);
        }
    }
}
