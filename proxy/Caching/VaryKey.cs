using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Breakwater.Proxy.Caching;

/// <summary>Which requests get the same answer (RFC 9111, 4.1). Pure.</summary>
internal static partial class VaryKey
{
    /// <summary>
    /// Fields by which some servers change what is at a URL though they name them in no <c>Vary</c>. A request that has one counts as of
    /// its own kind, so that
    /// no client chooses what others get.
    /// </summary>
    public static readonly string[] Unnamed =
    [
        "base-url", "forwarded", "request-uri", "x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix", "x-forwarded-proto",
        "x-forwarded-scheme", "x-forwarded-server", "x-forwarded-ssl", "x-host", "x-http-host-override", "x-http-method",
        "x-http-method-override", "x-method-override",
        "x-original-host", "x-original-url", "x-rewrite-url",
    ];

    /// <summary>More names are as good as all: each costs time at every hit, and hardly any two requests agree in them.</summary>
    private const int MostNames = 32;

    /// <summary>
    /// Longer values than browsers send are compared as they are: a client chooses how many members it sends, and they would be taken apart
    /// for each stored answer of the URI.
    /// </summary>
    private const int LongestTakenApart = 1024;

    /// <summary>Does the answer depend on more than the request's fields, or on more of them than can be compared each time?</summary>
    public static bool NamesAll(HeaderFields answer) =>
        answer.Tokens("Vary") is var names && (names.Contains("*") || names.Length > MostNames);

    /// <summary>The fields that <c>Vary</c> names with the request's values, normalised; null: the request has none.</summary>
    public static IReadOnlyList<KeyValuePair<string, string?>> Of(HeaderFields answer, HeaderFields request) =>
        Of(answer.Tokens("Vary"), request);

    /// <summary>The same for the names that another answer of the URI names: what requests must agree in to wait for one another.</summary>
    public static string NameOf(StoredHead? known, HeaderFields request) =>
        string.Join('\n', Of(known?.VaryValues.Select(v => v.Key) ?? [], request).Select(v => $"{v.Key}:{v.Value ?? "\0"}"));

    /// <summary>Does the stored answer suit the request?</summary>
    public static bool Matches(StoredHead head, HeaderFields request)
    {
        foreach ((string name, string? stored) in head.VaryValues)
        {
            string? asked = Normalise(name, request.Joined(name));
            if (!string.Equals(stored, asked, StringComparison.Ordinal)
                && !(name == "accept-language" && asked?.Length <= LongestTakenApart && IsBestLanguage(head, asked)))
            {
                return false;
            }
        }

        return true;
    }

    private static IReadOnlyList<KeyValuePair<string, string?>> Of(IEnumerable<string> names, HeaderFields request) =>
    [
        .. names.Concat(Unnamed.Where(request.Has)).Distinct().Order(StringComparer.Ordinal)
            .Select(name => new KeyValuePair<string, string?>(name, Normalise(name, request.Joined(name)))),
    ];

    /// <summary>Values that mean the same become one: members trimmed; languages and codings in lower case and sorted.</summary>
    [SuppressMessage("Globalization", "CA1308", Justification = "Languages and codings are compared in lower case.")]
    private static string? Normalise(string name, string? value)
    {
        if (value is null or { Length: > LongestTakenApart })
        {
            return value;
        }

        string[] members = value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (name is "accept-language" or "accept-encoding")
        {
            members = [.. members.Select(member => Blanks().Replace(member, "").ToLowerInvariant()).Order(StringComparer.Ordinal)];
        }
        else
        {
            members = [.. members.Select(member => Blanks().Replace(member, " "))];
        }

        return string.Join(',', members);
    }

    /// <summary>The answer says which language it is in, and the client wants that one most.</summary>
    private static bool IsBestLanguage(StoredHead head, string asked)
    {
        if (head.Fields.Only("Content-Language") is not { } language)
        {
            return false;
        }

        List<(string Name, double Weight)> wanted = [.. asked.Split(',').Select(WeightOf)];
        double most = wanted.Max(one => one.Weight);
        return wanted.FindAll(one => one.Weight == most) is [var best] && best.Weight > 0
            && best.Name.Equals(language.Trim(), StringComparison.OrdinalIgnoreCase);
    }

    private static (string Name, double Weight) WeightOf(string member)
    {
        int semicolon = member.IndexOf(";q=", StringComparison.Ordinal);
        return semicolon < 0
            ? (member, 1)
            : (member[..semicolon], double.TryParse(member.AsSpan(semicolon + 3), NumberStyles.AllowDecimalPoint,
                CultureInfo.InvariantCulture, out double q) ? q : 0);
    }

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Blanks();
}
