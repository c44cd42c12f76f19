using System.Buffers;
using System.Text;

namespace Breakwater.Proxy.Requests;

/// <summary>
/// The grammar of header fields (RFC 9110, 5.1 and 5.5), where Kestrel's parser is more lenient than two parsers in a row may be. Pure.
/// </summary>
internal static class FieldGrammar
{
    private static readonly SearchValues<char> s_token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly SearchValues<char> s_control =
        SearchValues.Create([.. Enumerable.Range(0, 32).Where(c => c != '\t').Append(127).Select(c => (char)c)]);

    /// <summary>Are all names tokens, and all values free of controls?</summary>
    public static bool AreValid(IHeaderDictionary fields)
    {
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in fields)
        {
            if (!IsToken(name))
            {
                return false;
            }

            foreach (string? value in values)
            {
                if (value is not null && !IsText(value))
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>A field's bytes, which are read as Latin-1, as the UTF-8 that people write today. Null: no such field.</summary>
    public static string? ToText(string? value) =>
        value is null || Ascii.IsValid(value) ? value : Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(value));

    /// <summary>Is this free of controls other than tab?</summary>
    public static bool IsText(ReadOnlySpan<char> value) => !value.ContainsAny(s_control);

    /// <summary>Is this a token (RFC 9110, 5.6.2)?</summary>
    public static bool IsToken(ReadOnlySpan<char> text) => text.Length > 0 && !text.ContainsAnyExcept(s_token);

    /// <summary>Is there a line feed without a carriage return before it, which some take for the end of a line and some do not?</summary>
    public static bool HasBareLineFeed(ReadOnlySpan<byte> bytes)
    {
        int from = 0;
        while (true)
        {
            int at = bytes[from..].IndexOf((byte)'\n');
            if (at < 0)
            {
                return false;
            }

            if (from + at == 0 || bytes[from + at - 1] != (byte)'\r')
            {
                return true;
            }

            from += at + 1;
        }
    }
}
