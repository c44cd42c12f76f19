using System.Net.Sockets;
using Breakwater.CacheStore;
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

    /// <summary>The same for bytes of a file. False: they or the client are gone, which the next send finds as well.</summary>
    public static bool TrySendFile(int socket, in ObjectFileRange range, out long sent)
    {
        try
        {
            sent = SocketSender.SendFile(socket, range.Handle, range.FileOffset, range.Length);
            return true;
        }
        catch (SocketException)
        {
            sent = 0;
            return false;
        }
    }
}
