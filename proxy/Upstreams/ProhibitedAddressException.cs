using System.Net;
using System.Net.Sockets;

namespace Breakwater.Proxy.Upstreams;

/// <summary>A name leads to an address that must not be connected to (<c>Access:AllowedUpstreams</c>). The message is for people.</summary>
/// <param name="host">The name.</param>
/// <param name="address">Its address, or the first of several.</param>
internal sealed class ProhibitedAddressException(string host, IPAddress address) : IOException(
    $"{host} is {address}, which is loopback, link-local, metadata or this machine: not connected. Allow it in Access:AllowedUpstreams if "
    + "it is meant.")
{
    /// <summary>The network in CIDR form that has this address alone, as the setting wants it: of IPv4 in IPv6 the IPv4.</summary>
    public string Network { get; } = AddressGuard.Unwrap(address) is { AddressFamily: AddressFamily.InterNetwork } plain
        ? $"{plain}/32"
        : $"{AddressGuard.Unwrap(address)}/128";

    /// <summary>What was found, without what to do.</summary>
    public string Found { get; } =
        $"{host} is {address}, which is loopback, link-local, metadata or this machine: it is never connected to, so nothing is fetched";
}
