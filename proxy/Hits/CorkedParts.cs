using Breakwater.CacheStore;
using Breakwater.Proxy.EventLoops;

namespace Breakwater.Proxy.Hits;

/// <summary>
/// While parts of a long body are sent, each by a call of its own, none of their ends is a packet of its own: the socket is corked from the
/// beginning of one turn of sends to its end.
/// </summary>
internal readonly ref struct CorkedParts
{
    private readonly int _socket;
    private readonly bool _isCorked;

    /// <param name="socket">The client's.</param>
    /// <param name="bodyBytes">Length of the whole body: one of a single part needs no cork.</param>
    public CorkedParts(int socket, long bodyBytes)
    {
        (_socket, _isCorked) = (socket, bodyBytes > ObjectLease.PartBytes);
        if (_isCorked)
        {
            SocketSender.Cork(socket, true);
        }
    }

    public void Dispose()
    {
        if (_isCorked)
        {
            SocketSender.Cork(_socket, false);
        }
    }
}
