using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.Proxy.HitPath;

/// <summary>One piece of a gathered send (<c>struct iovec</c>).</summary>
internal unsafe struct IoVector
{
    public byte* Base;
    public nuint Length;
}

/// <summary>Gathered sends that never wait (sendmsg with MSG_DONTWAIT): what the kernel does not take at once is the caller's to send later.</summary>
internal static unsafe partial class SocketSender
{
    /// <summary>Pieces in one call; Linux takes 1,024.</summary>
    public const int MaxPieces = 1024;

    private const int More = 0x8000;
    private const int DontWait = 0x40;
    private const int NoSignal = 0x4000;
    private const int Again = 11;
    private const int Interrupted = 4;
    private const int EndOfFile = 5; // EIO: the file is shorter than it must be

    /// <summary>Sends one run of bytes; <paramref name="hasMore"/>: another send follows at once (MSG_MORE).</summary>
    /// <inheritdoc cref="Send(Socket, IoVector*, int, bool)"/>
    public static int Send(Socket socket, ReadOnlySpan<byte> bytes, bool hasMore)
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
    public static long Send(Socket socket, IoVector* pieces, int count, bool hasMore = false)
    {
        // Abort and dispose run on other threads: the descriptor must not be closed, and its number reused, under this call.
        bool isHeld = false;
        try
        {
            socket.SafeHandle.DangerousAddRef(ref isHeld);
            int descriptor = (int)socket.SafeHandle.DangerousGetHandle();
            var message = new MessageHeader { Vectors = pieces, VectorCount = (nuint)count };
            while (true)
            {
                nint sent = SendMessage(descriptor, &message, DontWait | NoSignal | (hasMore ? More : 0));
                if (sent >= 0)
                {
                    return sent;
                }

                int error = Marshal.GetLastPInvokeError();
                if (error == Again)
                {
                    return 0;
                }

                if (error != Interrupted)
                {
                    throw new SocketException(error, Marshal.GetPInvokeErrorMessage(error));
                }
            }
        }
        finally
        {
            if (isHeld)
            {
                socket.SafeHandle.DangerousRelease();
            }
        }
    }

    /// <summary>Sends bytes of a file without copying them (sendfile). For sockets that were used asynchronously: they never wait.</summary>
    /// <returns>Bytes taken, 0 when the socket is full.</returns>
    /// <exception cref="SocketException">The connection is gone, or the file cannot be read.</exception>
    public static long SendFile(Socket socket, SafeFileHandle file, long offset, long count)
    {
        bool isHeld = false;
        try
        {
            socket.SafeHandle.DangerousAddRef(ref isHeld);
            int descriptor = (int)socket.SafeHandle.DangerousGetHandle();
            while (true)
            {
                nint sent = SendFile(descriptor, file, ref offset, (nuint)count);
                if (sent > 0)
                {
                    return sent;
                }

                int error = sent == 0 ? EndOfFile : Marshal.GetLastPInvokeError();
                if (error == Again)
                {
                    return 0;
                }

                if (error != Interrupted)
                {
                    throw new SocketException(error, Marshal.GetPInvokeErrorMessage(error));
                }
            }
        }
        finally
        {
            if (isHeld)
            {
                socket.SafeHandle.DangerousRelease();
            }
        }
    }

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

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    private static partial nint SendMessage(int socket, MessageHeader* message, int flags);
}
