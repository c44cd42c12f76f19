using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Breakwater.Proxy.Requests;

/// <summary>
/// The name under which an answer of ordinary HTTP is kept: scheme, host in lower case, port if it is not 80, then path and query byte by
/// byte; only escapes of unreserved characters are undone, since they mean the same (RFC 3986, 6.2.2.2). Pure.
/// </summary>
internal static class CacheUri
{
    /// <summary>How the names of sites' answers begin.</summary>
    public const string SitePrefix = "site:";

    /// <summary>How the names of external files of CernVM-FS begin.</summary>
    public const string FilePrefix = "file:";

    /// <summary>All Stratum 1s have the same files: their names are no part of a file's.</summary>
    private const string AnyStratum1 = "stratum1";

    /// <summary>Makes the name.</summary>
    /// <param name="host">Name or address; IPv6 without brackets.</param>
    /// <param name="port">Port that was asked.</param>
    /// <param name="pathAndQuery">As the client wrote it, from the slash on.</param>
    [SuppressMessage("Globalization", "CA1308", Justification = "Hosts are compared in lower case.")]
    public static string Of(string host, int port, string pathAndQuery)
    {
        var name = new StringBuilder("http://", 16 + host.Length + pathAndQuery.Length);
        name.Append(host.Contains(':', StringComparison.Ordinal) ? $"[{host.ToLowerInvariant()}]" : host.ToLowerInvariant());
        if (port != 80)
        {
            name.Append(CultureInfo.InvariantCulture, $":{port}");
        }

        for (int i = 0; i < pathAndQuery.Length; i++)
        {
            if (pathAndQuery[i] == '%' && i + 2 < pathAndQuery.Length && char.IsAsciiHexDigit(pathAndQuery[i + 1])
                && char.IsAsciiHexDigit(pathAndQuery[i + 2]) && Convert.ToByte(pathAndQuery.Substring(i + 1, 2), 16) is var value
                && IsUnreserved((char)value))
            {
                name.Append((char)value);
                i += 2;
            }
            else
            {
                name.Append(pathAndQuery[i]);
            }
        }

        return name.ToString();
    }

    /// <summary>
    /// The name of a site's answer. Another than that of a destination's: a client chooses the host of a request in origin form, so what a
    /// site's origin says under that host must never be taken for what the host itself says.
    /// </summary>
    public static string OfSite(string host, int port, string pathAndQuery) => SitePrefix + Of(host, port, pathAndQuery);

    /// <summary>
    /// The name of an external file of CernVM-FS, whichever Stratum 1 the client named: <c>http://stratum1/cvmfs/…</c> for rules and
    /// people.
    /// </summary>
    /// <param name="path">From <c>/cvmfs/</c> on.</param>
    public static string OfFile(string path) => FilePrefix + Of(AnyStratum1, 80, path);

    /// <summary>The URL in a name: what <see cref="Of"/> wrote.</summary>
    public static ReadOnlySpan<char> Url(string name) =>
        name.StartsWith(SitePrefix, StringComparison.Ordinal) ? name.AsSpan(SitePrefix.Length)
            : name.StartsWith(FilePrefix, StringComparison.Ordinal) ? name.AsSpan(FilePrefix.Length) : name;

    private static bool IsUnreserved(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~';
}
