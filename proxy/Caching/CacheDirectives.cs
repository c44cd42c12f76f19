using System.Globalization;
using System.Text;

namespace Breakwater.Proxy.Caching;

/// <summary>
/// The directives of a <c>Cache-Control</c> field (RFC 9111, 5.2). A member that is no directive is left out and the others count: one bad
/// number must not lose a
/// <c>no-store</c>. Of several the strictest counts. Pure.
/// </summary>
internal sealed class CacheDirectives
{
    /// <summary>Seconds beyond 2^31 count as so many (RFC 9111, 1.2.2).</summary>
    public const long MaxSeconds = 1L << 31;

    private readonly Dictionary<string, string?> _arguments = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Parses all lines of the field as one list.</summary>
    public static CacheDirectives Of(HeaderFields fields) => Parse(fields.Joined("Cache-Control") ?? "");

    /// <summary>Parses a field's value.</summary>
    public static CacheDirectives Parse(string text)
    {
        var directives = new CacheDirectives();
        int at = 0;
        while (at < text.Length)
        {
            if (text[at] is ' ' or '\t' or ',')
            {
                at++;
            }
            else
            {
                directives.Take(text, at);
                SkipMember(text, ref at);
            }
        }

        return directives;
    }

    /// <summary>Is it there, with or without an argument?</summary>
    public bool Has(string name) => _arguments.ContainsKey(name);

    /// <summary>Is it there without an argument, or with an empty one? Then it is about the whole message.</summary>
    public bool IsBare(string name) => _arguments.TryGetValue(name, out string? argument) && string.IsNullOrEmpty(argument);

    /// <summary>Its argument; null: it is absent or has none.</summary>
    public string? Argument(string name) => _arguments.GetValueOrDefault(name);

    /// <summary>Its argument in seconds; null: it is absent, has none, or that is not a number of digits alone.</summary>
    public long? Seconds(string name) => SecondsOf(Argument(name));

    /// <summary>Seconds written in digits alone.</summary>
    public static long? SecondsOf(string? text)
    {
        if (string.IsNullOrEmpty(text) || text.AsSpan().ContainsAnyExceptInRange('0', '9'))
        {
            return null;
        }

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) ? Math.Min(seconds, MaxSeconds)
            : MaxSeconds;
    }

    /// <summary>Takes the member that begins here, if it is a directive.</summary>
    private void Take(string text, int at)
    {
        int i = at;
        while (i < text.Length && Requests.FieldGrammar.IsToken(text.AsSpan(i, 1)))
        {
            i++;
        }

        if (i == at)
        {
            return;
        }

        string name = text[at..i];
        string? argument = null;
        if (i < text.Length && text[i] == '=' && !TryTakeArgument(text, ref i, out argument))
        {
            return;
        }

        while (i < text.Length && text[i] is ' ' or '\t')
        {
            i++;
        }

        if (i == text.Length || text[i] == ',')
        {
            Note(name, argument);
        }
    }

    private static bool TryTakeArgument(string text, ref int i, out string? argument)
    {
        argument = null;
        i++;
        if (i >= text.Length || text[i] != '"')
        {
            int start = i;
            while (i < text.Length && text[i] is not (',' or '"' or ' ' or '\t'))
            {
                i++;
            }

            argument = text[start..i];
            return true;
        }

        var unquoted = new StringBuilder();
        for (i++; i < text.Length; i++)
        {
            if (text[i] == '"')
            {
                i++;
                argument = unquoted.ToString();
                return true;
            }

            if (text[i] == '\\' && i + 1 < text.Length)
            {
                i++;
            }

            unquoted.Append(text[i]);
        }

        return false;
    }

    /// <summary>To the comma behind it that is in no quoted string.</summary>
    private static void SkipMember(string text, ref int at)
    {
        bool isQuoted = false;
        for (; at < text.Length && (isQuoted || text[at] != ','); at++)
        {
            if (text[at] == '\\' && isQuoted)
            {
                at++;
            }
            else if (text[at] == '"')
            {
                isQuoted = !isQuoted;
            }
        }
    }

    private void Note(string name, string? argument)
    {
        if (!_arguments.TryGetValue(name, out string? before))
        {
            _arguments.Add(name, argument);
        }
        else if (name.Equals("no-cache", StringComparison.OrdinalIgnoreCase) || name.Equals("private", StringComparison.OrdinalIgnoreCase))
        {
            _arguments[name] = string.IsNullOrEmpty(before) || string.IsNullOrEmpty(argument) ? null : $"{before},{argument}";
        }
        else if (SecondsOf(before) is { } old && (SecondsOf(argument) is not { } one || one < old))
        {
            _arguments[name] = argument;
        }
    }
}
