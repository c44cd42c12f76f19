using System.Net;

namespace Breakwater.Proxy.Listening;

/// <summary>A socket that a service manager handed over.</summary>
/// <param name="Descriptor">Its number in this process.</param>
/// <param name="Name">Its name (<c>FileDescriptorName=</c> of the socket unit); empty when it has none.</param>
/// <param name="EndPoint">Its address; null when it is no TCP or UDP socket that clients can reach.</param>
/// <param name="IsDatagram">UDP.</param>
/// <param name="IsIPv6Only">An IPv6 socket that takes no IPv4.</param>
internal sealed record InheritedSocket(int Descriptor, string Name, IPEndPoint? EndPoint, bool IsDatagram = false, bool IsIPv6Only = false)
{
    /// <summary>For people: what it is.</summary>
    public override string ToString()
    {
        string what = EndPoint is null
            ? $"descriptor {Descriptor}, which is no listening TCP or UDP socket"
            : $"{EndPoint}{(IsDatagram ? " (UDP)" : "")}";
        return Name.Length == 0 ? what : $"{what}, named '{Name}'";
    }
}
