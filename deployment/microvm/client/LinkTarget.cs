using System.Text;
using System.Text.RegularExpressions;

namespace Breakwater.Mount;

/// <summary>Variant symbolic links: <c>$(NAME)</c> and <c>$(NAME:-default)</c> are replaced from the mount's environment.</summary>
internal static partial class LinkTarget
{
    /// <summary>The target as a reader sees it; bytes that are not variables stay as they are.</summary>
    public static byte[] Expand(byte[] target, Func<string, string?> variable)
    {
        if (target.AsSpan().IndexOf("$("u8) < 0)
        {
            return target;
        }

        string expanded = Variables().Replace(
            Encoding.Latin1.GetString(target), // each byte is one character
            match => variable(match.Groups[1].Value) is { } value
                ? Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(value))
                : match.Groups[2].Value);
        return Encoding.Latin1.GetBytes(expanded);
    }

    [GeneratedRegex(@"\$\(([A-Za-z_][A-Za-z0-9_]*)(?::-([^)]*))?\)")]
    private static partial Regex Variables();
}
