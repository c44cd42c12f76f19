using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Breakwater.Proxy.ZeroTouch;

/// <summary>
/// The order in which one client asks the site's proxies, by rendezvous hashing of its address: the same from every proxy and at every
/// time, whatever the order of the list. Over many clients each proxy is the first of as many, those of a dead one are spread over all
/// others, and a proxy that joins takes its own share alone. Pure.
/// </summary>
internal static class ProxyOrder
{
    /// <summary>The proxies, best first.</summary>
    /// <param name="proxies">As <c>host:port</c>; upper and lower case are the same.</param>
    /// <param name="client">The client's address; an IPv4 address in IPv6's form is the IPv4 address.</param>
    public static string[] For(IReadOnlyList<string> proxies, IPAddress client)
    {
        string who = (client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client).ToString();
        return [.. proxies.Select(proxy => (Proxy: proxy, Name: proxy.ToLowerInvariant()))
            .OrderByDescending(one => Score(who, one.Name)).ThenBy(one => one.Name, StringComparer.Ordinal).Select(one => one.Proxy)];
    }

    private static ulong Score(string client, string proxy) =>
        BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{client}\n{proxy}")));
}
