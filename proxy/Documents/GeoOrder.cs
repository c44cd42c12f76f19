using System.Globalization;
using System.Text;

namespace Breakwater.Proxy.Documents;

/// <summary>Answers <c>api/v1.0/geo/&lt;client&gt;/&lt;s1,s2,…&gt;</c> without a Stratum 1: the order in which the client asked. Pure.</summary>
internal static class GeoOrder
{
    /// <summary>What Stratum 1s say on an error: five minutes.</summary>
    private static readonly TimeSpan s_lifetime = TimeSpan.FromMinutes(5);

    /// <summary><c>1,2,…,n</c> for n servers in the path.</summary>
    public static CachedDocument AsAsked(string path, long now)
    {
        int servers = path[(path.LastIndexOf('/') + 1)..].Split(',').Length;
        string order = string.Join(',', Enumerable.Range(1, servers).Select(i => i.ToString(CultureInfo.InvariantCulture))) + "\n";
        return new CachedDocument(Encoding.ASCII.GetBytes(order), "text/plain", s_lifetime, now, TimeSpan.Zero, null);
    }
}
