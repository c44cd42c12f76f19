using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace Breakwater.Proxy.Access;

/// <summary>
/// Which machines in front of the proxy are believed when they say for whom they ask: by the PROXY protocol, of a whole connection, or by
/// <c>X-Forwarded-For</c>, of one request. Nobody by default. Thread-safe; the networks are replaced whole.
/// </summary>
internal sealed class Balancers(IEnumerable<string> proxyProtocol, IEnumerable<string> forwardedFor)
{
    private static readonly SearchValues<char> s_ofAddress = SearchValues.Create("0123456789abcdefABCDEF:.[]");

    private volatile NetworkList _naming = new(proxyProtocol);
    private volatile NetworkList _forwarding = new(forwardedFor);

    /// <summary>Does nobody use the PROXY protocol?</summary>
    public bool AreNoneNaming => _naming.IsEmpty;

    /// <summary>New settings are in force, for connections that come from now on and for the next requests.</summary>
    public void Replace(IEnumerable<string> proxyProtocol, IEnumerable<string> forwardedFor)
    {
        _naming = new NetworkList(proxyProtocol);
        _forwarding = new NetworkList(forwardedFor);
    }

    /// <summary>Must a connection from there begin with a header of the PROXY protocol? From anywhere else it must not.</summary>
    public bool Names(IPAddress address) => _naming.Contains(address);

    /// <summary>Is <c>X-Forwarded-For</c> of this client believed?</summary>
    public bool Forwards(IPAddress? client) => client is not null && _forwarding.Contains(client);

    /// <summary>
    /// Who asked: each balancer has written its own client behind what it was told, so it is the last that is none of them; what stands
    /// before it anybody may have written. Where it ends in what is no address, the one behind counts.
    /// </summary>
    /// <param name="balancer">Who sent the request, for which <see cref="Forwards"/> is true.</param>
    /// <param name="forwardedFor">All lines of the field, joined by commas.</param>
    public IPAddress ClientOf(IPAddress balancer, string forwardedFor)
    {
        IPAddress client = balancer;
        NetworkList forwarding = _forwarding;
        for (int end = forwardedFor.Length; end >= 0;)
        {
            int comma = end == 0 ? -1 : forwardedFor.LastIndexOf(',', end - 1);
            if (!TryParse(forwardedFor.AsSpan(comma + 1, end - comma - 1).Trim(" \t"), out IPAddress? said))
            {
                return client;
            }

            client = said;
            if (!forwarding.Contains(client))
            {
                return client;
            }

            end = comma;
        }

        return client;
    }

    /// <summary>
    /// An address, which some write with the port: <c>10.0.0.1</c>, <c>10.0.0.1:80</c>, <c>fc00::1</c>, <c>[fc00::1]:80</c>.
    /// </summary>
    private static bool TryParse(ReadOnlySpan<char> text, out IPAddress said)
    {
        said = IPAddress.None;
        bool isPlain = text.Length > 0 && !text.ContainsAnyExcept(s_ofAddress) && text.ContainsAny(':', '.');
        if (!isPlain || !IPEndPoint.TryParse(text, out IPEndPoint? endPoint))
        {
            return false;
        }

        // Not 127.1 and 010.0.0.1, which others read otherwise.
        IPAddress address = endPoint.Address;
        said = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return address.AddressFamily != AddressFamily.InterNetwork || text.Contains(address.ToString(), StringComparison.Ordinal);
    }
}
