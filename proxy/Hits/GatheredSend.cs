using System.Net.Sockets;
using Breakwater.Proxy.EventLoops;

namespace Breakwater.Proxy.Hits;

/// <summary>The first send of an answer.</summary>
internal static unsafe class GatheredSend
{
    /// <summary>False: nothing went out; the ordinary way finds out why.</summary>
    public static bool TrySend(int socket, IoVector* pieces, int count, bool hasMore, out long sent)
    {
        try
        {
            sent = SocketSender.Send(socket, pieces, count, hasMore);
            return true;
        }
        catch (SocketException)
        {
            sent = 0;
            return false;
        }
    }
}
