using System.Globalization;

namespace Breakwater.Proxy.Access;

/// <summary>
/// Hosts with ports that are allowed: <c>host</c>, <c>host:port</c>, <c>*.domain:port</c>, <c>host:*</c> for any port. Thread-safe;
/// replaced whole.
/// </summary>
/// <param name="patterns">What is allowed; nothing else is.</param>
/// <param name="defaultPort">The port of a pattern that has none.</param>
internal abstract class HostPatterns(IEnumerable<string> patterns, int defaultPort)
{
    private const int AnyPort = 0;

    private volatile (string Host, int Port)[] _patterns = Parse(patterns, defaultPort);

    /// <summary>Is any allowed at all?</summary>
    public bool IsEmpty => _patterns.Length == 0;

    /// <summary>Another object after each <see cref="Replace"/>: tells whether what was decided before still counts.</summary>
    public object InForce => _patterns;

    /// <summary>New settings are in force.</summary>
    public void Replace(IEnumerable<string> patterns) => _patterns = Parse(patterns, defaultPort);

    /// <summary>May this host be asked on this port?</summary>
    public bool Allows(string host, int port) =>
        Array.Exists(_patterns, p => (p.Port == port || p.Port == AnyPort) && Matches(p.Host.Trim('[', ']'), host));

    /// <summary>Parses a pattern. False: not a pattern.</summary>
    public static bool TryParse(string pattern, int defaultPort, out (string Host, int Port) parsed)
    {
        int colon = pattern.LastIndexOf(':');
        bool hasPort = colon > 0 && pattern[^1] != ']';
        parsed = (hasPort ? pattern[..colon] : pattern, defaultPort);
        if (hasPort)
        {
            ReadOnlySpan<char> written = pattern.AsSpan(colon + 1);
            int port = AnyPort;
            if (written is not "*"
                && (!int.TryParse(written, NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535))
            {
                return false;
            }

            parsed.Port = port;
        }

        string name = parsed.Host.StartsWith("*.", StringComparison.Ordinal) ? parsed.Host[2..] : parsed.Host;
        return Requests.Authorities.IsHost(System.Text.Encoding.UTF8.GetBytes(name));
    }

    private static bool Matches(string pattern, string host) => pattern.StartsWith("*.", StringComparison.Ordinal)
        ? host.Length > pattern.Length - 1 && host.EndsWith(pattern[1..], StringComparison.OrdinalIgnoreCase)
        : host.Equals(pattern, StringComparison.OrdinalIgnoreCase);

    private static (string, int)[] Parse(IEnumerable<string> patterns, int defaultPort) =>
        [.. patterns.Select(p => TryParse(p, defaultPort, out (string, int) parsed) ? parsed : throw new FormatException(p))];
}
