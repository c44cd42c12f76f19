using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.Proxy.EventLoops;

/// <summary>
/// Gathered sends that never wait (sendmsg with MSG_DONTWAIT): what the kernel does not take at once is the caller's to send later.
/// </summary>
internal static unsafe partial class SocketSender
{
    private const int More = 0x8000;
    private const int DontWait = 0x40;
    private const int NoSignal = 0x4000;
    private const int OutputQueue = 0x5411;
    private const int Tcp = 6;
    private const int CorkOption = 3;
    private const int Again = 11;
    private const int Interrupted = 4;
    private const int EndOfFile = 5; // EIO: the file is shorter than it must be

    /// <summary>Sends one run of bytes; <paramref name="hasMore"/>: another send follows at once (MSG_MORE).</summary>
    /// <inheritdoc cref="Send(int, IoVector*, int, bool)"/>
    public static int Send(int socket, ReadOnlySpan<byte> bytes, bool hasMore)
    {
        fixed (byte* start = bytes)
        {
            var piece = new IoVector { Base = start, Length = (nuint)bytes.Length };
            return (int)Send(socket, &piece, 1, hasMore);
        }
    }

    /// <summary>Sends what the kernel takes.</summary>
    /// <returns>Bytes taken, 0 when the socket is full.</returns>
    /// <exception cref="SocketException">The connection is gone, or (EFAULT) mapped bytes could not be read.</exception>
    public static long Send(int socket, IoVector* pieces, int count, bool hasMore = false)
    {
        var message = new MessageHeader { Vectors = pieces, VectorCount = (nuint)count };
        while (true)
        {
            nint sent = SendMessage(socket, &message, DontWait | NoSignal | (hasMore ? More : 0));
            if (sent >= 0)
            {
                return sent;
            }

            if (IsFull(Marshal.GetLastPInvokeError()))
            {
                return 0;
            }
        }
    }

    /// <summary>Sends bytes of a file without copying them (sendfile). For sockets that do not block.</summary>
    /// <returns>Bytes taken, 0 when the socket is full.</returns>
    /// <exception cref="SocketException">The connection is gone, or the file cannot be read.</exception>
    public static long SendFile(int socket, SafeFileHandle file, long offset, long count)
    {
        while (true)
        {
            nint sent = SendFile(socket, file, ref offset, (nuint)count);
            if (sent > 0)
            {
                return sent;
            }

            if (IsFull(sent == 0 ? EndOfFile : Marshal.GetLastPInvokeError()))
            {
                return 0;
            }
        }
    }

    /// <summary>
    /// Until it is taken back full packets alone go out (TCP_CORK): each send's end would be a small one of its own. To be taken back
    /// before anything is waited for: a client whose window is smaller than a packet would get nothing.
    /// </summary>
    public static void Cork(int socket, bool isCorked)
    {
        int value = isCorked ? 1 : 0;
        _ = SetOption(socket, Tcp, CorkOption, &value, sizeof(int));
    }

    /// <summary>Bytes sent that the peer's kernel has not acknowledged (SIOCOUTQ); 0 when the socket cannot tell.</summary>
    public static long QueuedBytes(int socket)
    {
        int bytes = 0;
        return Control(socket, OutputQueue, &bytes) < 0 ? 0 : bytes;
    }

    /// <summary>Why a call took nothing: true, the socket is full; false, call again.</summary>
    /// <exception cref="SocketException">Neither.</exception>
    private static bool IsFull(int error) => error switch
    {
        Again => true,
        Interrupted => false,
        _ => throw new SocketException(error, Marshal.GetPInvokeErrorMessage(error)),
    };

    [StructLayout(LayoutKind.Sequential)]
    private struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [LibraryImport("libc", EntryPoint = "sendfile", SetLastError = true)]
    private static partial nint SendFile(int socket, SafeFileHandle file, ref long offset, nuint count);

    [LibraryImport("libc", EntryPoint = "setsockopt")]
    private static partial int SetOption(int socket, int level, int name, int* value, uint length);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Control(int socket, nuint request, int* value);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    private static partial nint SendMessage(int socket, MessageHeader* message, int flags);
}
