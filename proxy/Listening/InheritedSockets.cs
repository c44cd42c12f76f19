using System.Globalization;
using System.Runtime.InteropServices;

namespace Breakwater.Proxy.Listening;

/// <summary>
/// The sockets handed over by a service manager (sd_listen_fds(3)): they stay open while one process ends and the next starts, so that
/// connections wait in the kernel and none is refused.
/// </summary>
/// <remarks>
/// Plain descriptors, not <see cref="System.Net.Sockets.Socket"/>: what that does when it is disposed would be done to the socket that
/// others have, too.
/// </remarks>
internal static unsafe partial class InheritedSockets
{
    private const int First = 3;

    /// <summary>More than any site has ports: of a count that is wrong, those that are not open are told by then.</summary>
    private const int MostHandedOver = 256;

    // getsockopt(2), socket(7), ipv6(7) of Linux.
    private const int SocketLevel = 1;
    private const int TypeOption = 3;
    private const int DomainOption = 39;
    private const int IsListeningOption = 30;
    private const int IPv6Level = 41;
    private const int IPv6OnlyOption = 26;
    private const int Stream = 1;
    private const int Datagram = 2;
    private const int Inet = 2;
    private const int Inet6 = 10;

    private static readonly Lock s_gate = new();
    private static readonly List<int> s_held = []; // guarded by s_gate; duplicates, as whoever listens closes what it was given

    /// <summary>Those of this process; none when nothing was handed over to it.</summary>
    public static IReadOnlyList<InheritedSocket> All { get; } = Find();

    /// <summary>
    /// The process ends without having served: who waits in these sockets is reset, and who comes is refused from now on, so that clients
    /// take their next proxy instead of waiting for nobody. shutdown(2) acts on the socket itself, which the service manager and the next
    /// process have too; that one listens again.
    /// </summary>
    public static void RefuseClients() => LetGo(static socket => Epoll.Shutdown(socket));

    /// <summary>They are served from now on.</summary>
    public static void Served() => LetGo(static _ => { });

    /// <summary>
    /// Has another process one of these sockets open? Then who waits in them is that one's: shutdown(2) would end them for both.
    /// </summary>
    /// <param name="processId">The other process.</param>
    public static bool AreSharedWith(int processId)
    {
        HashSet<string> own;
        lock (s_gate)
        {
            own = [.. s_held.Select(socket => new FileInfo($"/proc/self/fd/{socket}").LinkTarget).OfType<string>()];
        }

        try
        {
            return own.Count > 0 && Directory.EnumerateFileSystemEntries($"/proc/{processId}/fd")
                .Any(descriptor => new FileInfo(descriptor).LinkTarget is { } other && own.Contains(other));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // gone, or another user's
        }
    }

    /// <summary>Another number for the same socket; negative: refused.</summary>
    public static int Duplicate(int descriptor) => Control(descriptor, 1030, First); // F_DUPFD_CLOEXEC

    private static void LetGo(Action<int> last)
    {
        lock (s_gate)
        {
            foreach (int socket in s_held)
            {
                last(socket);
                Epoll.Close(socket);
            }

            s_held.Clear();
        }
    }

    private static IReadOnlyList<InheritedSocket> Find()
    {
        string own = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable("LISTEN_PID") != own
            || !int.TryParse(Environment.GetEnvironmentVariable("LISTEN_FDS"), NumberStyles.None, CultureInfo.InvariantCulture,
            out int count))
        {
            return [];
        }

        string[] names = (Environment.GetEnvironmentVariable("LISTEN_FDNAMES") ?? "").Split(':');
        return [.. Enumerable.Range(0, Math.Min(count, MostHandedOver)).Select(i => Look(First + i, i < names.Length ? names[i] : ""))];
    }

    /// <summary>What a descriptor is; a TCP socket is kept open until <see cref="Served"/>.</summary>
    internal static InheritedSocket Look(int descriptor, string name)
    {
        int type = Option(descriptor, SocketLevel, TypeOption);
        int domain = Option(descriptor, SocketLevel, DomainOption);
        if (type is not (Stream or Datagram) || domain is not (Inet or Inet6) || IsConnection(descriptor)
            || Epoll.LocalEndPoint(descriptor) is not { Port: > 0 } endPoint)
        {
            return new InheritedSocket(descriptor, name, null);
        }

        if (type == Stream && Option(descriptor, SocketLevel, IsListeningOption) == 0 && !IsStillBound(descriptor))
        {
            return new InheritedSocket(descriptor, name, null);
        }

        if (type == Stream && Duplicate(descriptor) is >= 0 and int copy)
        {
            lock (s_gate)
            {
                s_held.Add(copy);
            }
        }

        return new InheritedSocket(descriptor, name, endPoint, type == Datagram, domain == Inet6
            && Option(descriptor, IPv6Level, IPv6OnlyOption) == 1);
    }

    /// <summary>Accept=yes of a socket unit hands over a client's connection.</summary>
    private static bool IsConnection(int descriptor)
    {
        byte* address = stackalloc byte[128];
        uint length = 128;
        return GetPeerName(descriptor, address, &length) == 0;
    }

    /// <summary>
    /// After <see cref="RefuseClients"/> of another process the kernel may have taken back a port that it had chosen itself, and would
    /// choose another when the socket listens again; a port that was asked for stays.
    /// </summary>
    private static bool IsStillBound(int descriptor)
    {
        const int Invalid = 22;
        byte* address = stackalloc byte[128];
        uint length = 128;
        return GetSocketName(descriptor, address, &length) == 0
            && (Bind(descriptor, address, length) == 0 || Marshal.GetLastPInvokeError() == Invalid);
    }

    private static int Option(int descriptor, int level, int name)
    {
        int value = -1;
        uint length = sizeof(int);
        return GetOption(descriptor, level, name, &value, &length) == 0 ? value : -1;
    }

    [LibraryImport("libc", EntryPoint = "getsockopt")]
    private static partial int GetOption(int descriptor, int level, int name, void* value, uint* length);

    [LibraryImport("libc", EntryPoint = "getpeername")]
    private static partial int GetPeerName(int descriptor, byte* address, uint* length);

    [LibraryImport("libc", EntryPoint = "getsockname")]
    private static partial int GetSocketName(int descriptor, byte* address, uint* length);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int descriptor, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command, int argument);
}
