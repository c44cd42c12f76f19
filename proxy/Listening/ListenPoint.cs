using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Breakwater.Proxy.Listening;

/// <summary>An address of the settings, and the sockets that were handed over for it.</summary>
/// <param name="EndPoint">The address.</param>
/// <param name="Sockets">Those handed over; more than one only where each family of <c>[::]</c> has its own.</param>
internal sealed record ListenPoint(IPEndPoint EndPoint, IReadOnlyList<InheritedSocket> Sockets)
{
    private bool IsForAll => EndPoint.Address.Equals(IPAddress.IPv6Any);

    /// <summary>Has Kestrel listen there: on what was handed over, and on what else the address means.</summary>
    public void Open(KestrelServerOptions kestrel, Action<ListenOptions> configure)
    {
        foreach (InheritedSocket socket in Sockets)
        {
            kestrel.ListenHandle((ulong)socket.Descriptor, configure);
        }

        if (Sockets.Count == 0 && IsForAll)
        {
            // Both families; IPv4 alone where the host has no IPv6.
            kestrel.ListenAnyIP(EndPoint.Port, configure);
        }
        else if (Sockets.Count == 0)
        {
            kestrel.Listen(EndPoint, configure);
        }
        else if (IsForAll && Sockets.All(socket => socket.IsIPv6Only))
        {
            kestrel.Listen(IPAddress.Any, EndPoint.Port, configure);
        }
        else if (IsForAll && Sockets.All(socket => socket.EndPoint!.AddressFamily == AddressFamily.InterNetwork)
            && TryOpenIPv6() is { } other)
        {
            kestrel.ListenHandle(other, configure);
        }
    }

    /// <summary>The UDP socket: the one handed over, or one that is opened.</summary>
    /// <exception cref="SocketException">The port cannot be had.</exception>
    public Socket OpenDatagrams()
    {
        if (Sockets is [var given, ..])
        {
            return new Socket(new SafeSocketHandle(given.Descriptor, ownsHandle: true));
        }

        var socket = new Socket(EndPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        if (IsForAll)
        {
            socket.DualMode = true;
        }

        socket.Bind(EndPoint);
        return socket;
    }

    /// <summary>IPv6 beside the IPv4 socket that was handed over; null where the host has none.</summary>
    private ulong? TryOpenIPv6()
    {
        if (!Socket.OSSupportsIPv6)
        {
            return null;
        }

        using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = false };
        socket.Bind(EndPoint);
        return (ulong)InheritedSockets.Duplicate((int)socket.SafeHandle.DangerousGetHandle()); // Kestrel's, which closes it
    }
}
