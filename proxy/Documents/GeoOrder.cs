using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Breakwater.Proxy.Documents;

/// <summary>
/// What an answer of <c>api/v1.0/geo/&lt;client&gt;/&lt;s1,s2,…&gt;</c> must be: each number from 1 to n once; and the answer without a
/// Stratum 1, the order in which the client asked. Pure.
/// </summary>
internal static class GeoOrder
{
    /// <summary>What Stratum 1s say on an error: five minutes.</summary>
    private static readonly TimeSpan s_lifetime = TimeSpan.FromMinutes(5);

    /// <summary><c>1,2,…,n</c> for n servers in the path.</summary>
    public static CachedDocument AsAsked(string path, Moment now)
    {
        int servers = Servers(path);
        string order = string.Join(',', Enumerable.Range(1, servers).Select(i => i.ToString(CultureInfo.InvariantCulture))) + "\n";
        return new CachedDocument(Encoding.ASCII.GetBytes(order), "text/plain", s_lifetime, now, TimeSpan.Zero, null);
    }

    /// <summary>
    /// What is wrong with this answer of a Stratum 1? Null: it is an order of the servers asked for. A client would take anything else for
    /// no order at all, each time.
    /// </summary>
    public static string? Fault(string path, ReadOnlySpan<byte> body)
    {
        int servers = Servers(path);
        ReadOnlySpan<byte> text = body.Trim(" \t\r\n"u8);
        var seen = new HashSet<int>();
        foreach (Range part in text.Split((byte)','))
        {
            ReadOnlySpan<byte> number = text[part].Trim(" \t"u8);
            if (!Utf8Parser.TryParse(number, out int place, out int read) || read != number.Length || number[0] == '+' || place < 1
                || place > servers || !seen.Add(place))
            {
                return $"its geo answer is no order of {servers} servers";
            }
        }

        return seen.Count == servers ? null : $"its geo answer names {seen.Count} of {servers} servers";
    }

    private static int Servers(string path) => path.AsSpan(path.LastIndexOf('/') + 1).Count(',') + 1;
}
