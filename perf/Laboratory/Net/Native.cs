using System.Net;
using System.Runtime.InteropServices;

namespace Breakwater.Laboratory.Net;

/// <summary>
/// The few Linux calls that a load generator needs. .NET's sockets cost an allocation, a context switch or both a request; these cost the
/// system call. x86-64 and arm64, glibc; see the man page of each name.
/// </summary>
internal static unsafe partial class Native
{
    public const uint EpollIn = 1, EpollOut = 4, EpollErr = 8, EpollHup = 16, EpollRdHup = 0x2000;
    public const int EpollAdd = 1, EpollDel = 2, EpollMod = 3;
    public const int EAgain = 11, EInProgress = 115, EIntr = 4;
    public const int MsgNoSignal = 0x4000, MsgTrunc = 0x20, MsgPeek = 2;

    private const int AfInet = 2, SockStream = 1, SockNonBlock = 0x800, SockCloExec = 0x80000;
    private const int SolSocket = 1, SoReuseAddr = 2, SoError = 4, SoLinger = 13, SoReceiveBuffer = 8, SoReusePort = 15;
    private const int IpProtoTcp = 6, TcpNoDelay = 1, SolIp = 0, IpBindAddressNoPort = 24;
    private const int RlimitNoFile = 7, ClockThreadCpuTime = 3, FSetFd = 2, FdCloseOnExec = 1;

    /// <summary>Size of the kernel's epoll_event: packed on x86-64 only.</summary>
    public static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    /// <summary>Where the 64 data bits stand in an epoll_event.</summary>
    public static readonly int EventDataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    /// <summary>Raises this process's limit of open files as far as it may go, and returns it.</summary>
    public static long RaiseOpenFileLimit(long wanted = 200_000)
    {
        ulong* limit = stackalloc ulong[2];
        limit[0] = limit[1] = (ulong)wanted;
        if (SetRLimit(RlimitNoFile, limit) == 0)
        {
            return wanted;
        }

        _ = GetRLimit(RlimitNoFile, limit);
        limit[0] = limit[1];
        _ = SetRLimit(RlimitNoFile, limit);
        return (long)limit[0];
    }

    /// <summary>Keeps the files that this process was started with (a lock, say) from the processes that it starts.</summary>
    public static void KeepInheritedFiles()
    {
        for (int fd = 3; fd < 256; fd++)
        {
            _ = FControl(fd, FSetFd, FdCloseOnExec);
        }
    }

    /// <summary>CPU time of the calling thread so far, in µs.</summary>
    public static long ThreadCpuUs()
    {
        long* time = stackalloc long[2];
        _ = ClockGetTime(ClockThreadCpuTime, time);
        return (time[0] * 1_000_000) + (time[1] / 1000);
    }

    /// <summary>A non-blocking listening socket.</summary>
    /// <param name="endpoint">Where.</param>
    /// <param name="backlog">Length of the queue of connections.</param>
    /// <param name="isShared">Others listen there too, and the kernel deals connections out (SO_REUSEPORT).</param>
    public static int Listen(IPEndPoint endpoint, int backlog = 4096, bool isShared = false)
    {
        int fd = Check(Socket(AfInet, SockStream | SockNonBlock | SockCloExec, 0), "socket");
        int one = 1;
        _ = SetSockOpt(fd, SolSocket, SoReuseAddr, &one, sizeof(int));
        if (isShared)
        {
            _ = SetSockOpt(fd, SolSocket, SoReusePort, &one, sizeof(int));
        }

        byte* address = stackalloc byte[16];
        WriteAddress(address, endpoint);
        Check(Bind(fd, address, 16), $"bind to {endpoint}");
        Check(ListenCall(fd, backlog), "listen");
        return fd;
    }

    /// <summary>The port that a listening socket was given.</summary>
    public static int LocalPort(int fd)
    {
        byte* address = stackalloc byte[16];
        int length = 16;
        Check(GetSockName(fd, address, &length), "getsockname");
        return (address[2] << 8) | address[3];
    }

    /// <summary>The next waiting connection, non-blocking, or -1.</summary>
    public static int Accept(int listener)
    {
        int fd = Accept4(listener, null, null, SockNonBlock | SockCloExec);
        if (fd >= 0)
        {
            NoDelay(fd);
        }

        return fd;
    }

    /// <summary>Starts a connection; the socket is writable once it stands. -1 and errno when it fails at once.</summary>
    /// <param name="target">Where to.</param>
    /// <param name="source">Source address, or null for the kernel's choice.</param>
    public static int Connect(IPEndPoint target, IPAddress? source)
    {
        int fd = Socket(AfInet, SockStream | SockNonBlock | SockCloExec, 0);
        if (fd < 0)
        {
            return -1;
        }

        NoDelay(fd);
        byte* address = stackalloc byte[16];
        if (source is not null)
        {
            int one = 1;
            _ = SetSockOpt(fd, SolIp, IpBindAddressNoPort, &one, sizeof(int));
            WriteAddress(address, new IPEndPoint(source, 0));
            if (Bind(fd, address, 16) < 0)
            {
                _ = Close(fd);
                return -1;
            }
        }

        WriteAddress(address, target);
        if (ConnectCall(fd, address, 16) < 0 && Marshal.GetLastPInvokeError() != EInProgress)
        {
            _ = Close(fd);
            return -1;
        }

        return fd;
    }

    /// <summary>The pending error of a socket; 0 when there is none.</summary>
    public static int SocketError(int fd)
    {
        int error = 0, length = sizeof(int);
        return GetSockOpt(fd, SolSocket, SoError, &error, &length) < 0 ? Marshal.GetLastPInvokeError() : error;
    }

    /// <summary>Makes the next close send a RST.</summary>
    public static void ResetOnClose(int fd)
    {
        long linger = 1; // l_onoff = 1, l_linger = 0
        _ = SetSockOpt(fd, SolSocket, SoLinger, &linger, sizeof(long));
    }

    /// <summary>Bounds the kernel's receive buffer of a socket, in bytes.</summary>
    public static void ReceiveBuffer(int fd, int sizeBytes) => _ = SetSockOpt(fd, SolSocket, SoReceiveBuffer, &sizeBytes, sizeof(int));

    private static void NoDelay(int fd)
    {
        int one = 1;
        _ = SetSockOpt(fd, IpProtoTcp, TcpNoDelay, &one, sizeof(int));
    }

    private static void WriteAddress(byte* address, IPEndPoint endpoint)
    {
        address[0] = AfInet;
        address[1] = 0;
        address[2] = (byte)(endpoint.Port >> 8);
        address[3] = (byte)endpoint.Port;
        endpoint.Address.TryWriteBytes(new Span<byte>(address + 4, 4), out _);
        new Span<byte>(address + 8, 8).Clear();
    }

    private static int Check(int result, string what) => result >= 0
        ? result
        : throw new IOException($"{what} failed: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollCtl(int epoll, int operation, int fd, byte* epollEvent);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, byte* events, int count, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventFd(uint value, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(int fd, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    public static partial nint Send(int fd, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "writev", SetLastError = true)]
    public static partial nint WriteV(int fd, IoVector* vectors, int count);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int fd, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int fd, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Socket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int fd, byte* address, int length);

    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)]
    private static partial int ListenCall(int fd, int backlog);

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    private static partial int Accept4(int fd, byte* address, int* length, int flags);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int ConnectCall(int fd, byte* address, int length);

    [LibraryImport("libc", EntryPoint = "getsockname", SetLastError = true)]
    private static partial int GetSockName(int fd, byte* address, int* length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetSockOpt(int fd, int level, int name, void* value, int length);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetSockOpt(int fd, int level, int name, void* value, int* length);

    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    private static partial int ClockGetTime(int clock, long* time);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int FControl(int fd, int command, int value);

    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    private static partial int GetRLimit(int resource, ulong* limit);

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static partial int SetRLimit(int resource, ulong* limit);

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct IoVector
    {
        public byte* Base;
        public nint Length;
    }
}
