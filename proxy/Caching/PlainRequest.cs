using System.Buffers;
using System.Text;

namespace Breakwater.Proxy.Caching;

/// <summary>
/// Does a request get what is stored as it is, whatever else its fields say? Asked of the bytes of a head whose directives, range and
/// credentials were looked for before. Pure; allocates nothing.
/// </summary>
internal static class PlainRequest
{
    /// <summary>Conditions, and fields that make a request one of its own kind (<see cref="VaryKey.Unnamed"/>).</summary>
    private static readonly byte[][] s_meaningful = [.. Conditions.Names.Concat(VaryKey.Unnamed).Select(Encoding.ASCII.GetBytes)];

    /// <summary>How their names begin: most fields of most requests begin with another letter.</summary>
    private static readonly SearchValues<byte> s_firstLetters = SearchValues.Create(
        [.. s_meaningful.SelectMany(name => new[] { (byte)(name[0] | 0x20), (byte)(name[0] & ~0x20) }).Distinct()]);

    /// <summary>Is it so?</summary>
    /// <param name="lines">Well-formed field lines, each with its line end.</param>
    /// <param name="varying">Names of fields that stored answers of the URI vary by, which the request must not have.</param>
    public static bool Is(ReadOnlySpan<byte> lines, byte[][] varying)
    {
        while (lines.Length > 0)
        {
            ReadOnlySpan<byte> name = lines[..lines.IndexOf((byte)':')];
            if ((s_firstLetters.Contains(name[0]) && IsOneOf(s_meaningful, name)) || IsOneOf(varying, name))
            {
                return false;
            }

            lines = lines[(lines.IndexOf((byte)'\n') + 1)..];
        }

        return true;
    }

    private static bool IsOneOf(byte[][] names, ReadOnlySpan<byte> name)
    {
        foreach (byte[] one in names)
        {
            if (one.Length == name.Length && Ascii.EqualsIgnoreCase(one, name))
            {
                return true;
            }
        }

        return false;
    }
}
