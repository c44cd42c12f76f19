using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Breakwater.Proxy.Listening;

/// <summary>An epoll instance and the few system calls that go with it. Linux only.</summary>
/// <remarks><see cref="Add"/> and <see cref="Remove"/> may come from any thread; <see cref="Wait"/> from one.</remarks>
internal sealed unsafe partial class Epoll : IDisposable
{
    /// <summary>Events taken at once.</summary>
    private const int MaxEvents = 512;

    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int DontWait = 0x40;
    private const int AddressBytes = 128;

    /// <summary><c>struct epoll_event</c> is packed on x86-64 alone.</summary>
    private static readonly int s_dataAt = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    private readonly byte[] _events = GC.AllocateArray<byte>(MaxEvents * 16, pinned: true);
    private readonly int _descriptor = Checked(Create(CloseOnExec), "epoll_create1");
    private readonly int _wakeUp = Checked(MakeEvent(0, CloseOnExec | NonBlocking), "eventfd");

    /// <summary>An instance with nothing in it but its own wake-up.</summary>
    /// <exception cref="SocketException">No descriptor is left.</exception>
    public Epoll() => Add(_wakeUp, Readiness.Input, WakeUpTag);

    /// <summary>The tag of <see cref="WakeUp"/>.</summary>
    public static ulong WakeUpTag => ulong.MaxValue;

    /// <summary>Watches a descriptor.</summary>
    /// <param name="descriptor">It.</param>
    /// <param name="wanted">What to tell of it.</param>
    /// <param name="tag">Comes back with its events.</param>
    /// <exception cref="SocketException">The kernel refuses.</exception>
    public void Add(int descriptor, Readiness wanted, ulong tag)
    {
        byte* made = stackalloc byte[16];
        *(uint*)made = (uint)wanted;
        *(ulong*)(made + s_dataAt) = tag;
        Checked(Control(_descriptor, 1, descriptor, made), "epoll_ctl");
    }

    /// <summary>Watches it no longer.</summary>
    public void Remove(int descriptor)
    {
        byte* unused = stackalloc byte[16];
        _ = Control(_descriptor, 2, descriptor, unused);
    }

    /// <summary>Waits for events, and returns their count: see <see cref="EventAt"/>.</summary>
    public int Wait(int milliseconds)
    {
        fixed (byte* events = _events)
        {
            int count = WaitForEvents(_descriptor, events, MaxEvents, milliseconds);
            return Math.Max(count, 0); // EINTR: nothing
        }
    }

    /// <summary>An event of the last <see cref="Wait"/>.</summary>
    public (Readiness Readiness, ulong Tag) EventAt(int index)
    {
        ReadOnlySpan<byte> found = _events.AsSpan(index * (s_dataAt + 8), s_dataAt + 8);
        return ((Readiness)MemoryMarshal.Read<uint>(found), MemoryMarshal.Read<ulong>(found[s_dataAt..]));
    }

    /// <summary>Ends a <see cref="Wait"/>, from any thread.</summary>
    public void WakeUp()
    {
        ulong one = 1;
        _ = Write(_wakeUp, &one, sizeof(ulong));
    }

    /// <summary>Takes the wake-ups that came.</summary>
    public void TakeWakeUps()
    {
        ulong count;
        _ = Read(_wakeUp, &count, sizeof(ulong));
    }

    /// <summary>Accepts a connection, not blocking.</summary>
    /// <param name="listener">The listening socket.</param>
    /// <param name="client">Who it is.</param>
    /// <returns>The descriptor; negative: minus <c>errno</c>.</returns>
    public static int Accept(int listener, out IPEndPoint? client)
    {
        byte* address = stackalloc byte[AddressBytes];
        uint length = AddressBytes;
        int accepted = Accept(listener, address, &length, CloseOnExec | NonBlocking);
        client = accepted < 0 ? null : EndPoint(address);
        return accepted < 0 ? -Marshal.GetLastPInvokeError() : accepted;
    }

    /// <summary>A socket's own end; null when it has none any more.</summary>
    public static IPEndPoint? LocalEndPoint(int descriptor)
    {
        byte* address = stackalloc byte[AddressBytes];
        uint length = AddressBytes;
        return GetSocketName(descriptor, address, &length) < 0 ? null : EndPoint(address);
    }

    /// <summary>Takes what has arrived, without waiting: 0 at the end; negative: minus <c>errno</c>.</summary>
    public static int Receive(int descriptor, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            nint received = Receive(descriptor, start, (nuint)buffer.Length, DontWait);
            return received < 0 ? -Marshal.GetLastPInvokeError() : (int)received;
        }
    }

    /// <summary>Ends a connection in one direction or both; the descriptor stays open.</summary>
    public static void Shutdown(int descriptor, bool sendingOnly = false) => _ = ShutDown(descriptor, sendingOnly ? 1 : 2);

    /// <summary>The connection is reset when the descriptor is closed, and what is not acknowledged is dropped (SO_LINGER, 0 s).</summary>
    public static void ResetAtClose(int descriptor)
    {
        int* linger = stackalloc int[2];
        linger[0] = 1;
        linger[1] = 0;
        _ = SetOption(descriptor, 1, 13, linger, 2 * sizeof(int));
    }

    /// <summary>Resets a connection at once (connect to AF_UNSPEC); the descriptor stays open.</summary>
    public static void Reset(int descriptor)
    {
        byte* nobody = stackalloc byte[AddressBytes];
        new Span<byte>(nobody, AddressBytes).Clear();
        if (Connect(descriptor, nobody, AddressBytes) < 0)
        {
            ResetAtClose(descriptor);
        }
    }

    /// <summary>Closes a descriptor.</summary>
    public static void Close(int descriptor) => _ = CloseDescriptor(descriptor);

    /// <inheritdoc/>
    public void Dispose()
    {
        Close(_wakeUp);
        Close(_descriptor);
    }

    /// <summary>sockaddr_in: family, port, address; sockaddr_in6: family, port, flow, address, scope.</summary>
    private static IPEndPoint EndPoint(byte* address)
    {
        const ushort Inet6 = 10;
        int port = BinaryPrimitives.ReadUInt16BigEndian(new ReadOnlySpan<byte>(address + 2, 2));
        return *(ushort*)address == Inet6
            ? new IPEndPoint(new IPAddress(new ReadOnlySpan<byte>(address + 8, 16), *(uint*)(address + 24)), port)
            : new IPEndPoint(new IPAddress(new ReadOnlySpan<byte>(address + 4, 4)), port);
    }

    private static int Checked(int result, string what)
    {
        int error = Marshal.GetLastPInvokeError();
        return result >= 0 ? result : throw new SocketException(error, $"{what}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int Control(int epoll, int operation, int descriptor, byte* wanted);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int WaitForEvents(int epoll, byte* events, int most, int milliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int MakeEvent(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    private static partial int Accept(int listener, byte* address, uint* length, int flags);

    [LibraryImport("libc", EntryPoint = "connect")]
    private static partial int Connect(int socket, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "getsockname", SetLastError = true)]
    private static partial int GetSocketName(int socket, byte* address, uint* length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(int socket, int level, int option, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "shutdown", SetLastError = true)]
    private static partial int ShutDown(int socket, int how);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(int descriptor, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, void* bytes, nuint length);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(int descriptor, void* bytes, nuint length);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int CloseDescriptor(int descriptor);
}
