using System.Globalization;
using System.Text;

namespace Breakwater.Proxy.Commands.Publish.Tree;

/// <summary>Paths of any bytes, for people.</summary>
internal static class PathText
{
    /// <summary>The path as text: what is not printable UTF-8 shows as <c>\xNN</c>.</summary>
    public static string Of(ReadOnlySpan<byte> path)
    {
        path = path.TrimEnd((byte)0);
        var text = new StringBuilder(path.Length);
        while (!path.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(path, out Rune rune, out int length) == System.Buffers.OperationStatus.Done && !Rune.IsControl(rune))
            {
                text.Append(rune.ToString());
            }
            else
            {
                length = 1;
                text.Append(CultureInfo.InvariantCulture, $"\\x{path[0]:x2}");
            }

            path = path[length..];
        }

        return text.Length == 0 ? "/" : text.ToString();
    }
}
