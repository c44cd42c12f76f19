using System.Text;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Hits;

/// <summary>
/// Texts that clients send again and again, such as their <c>User-Agent</c>: most of them need no string of their own. ASCII only.
/// Thread-safe: a slot is replaced whole, and two texts that meet in one slot only cost a string.
/// </summary>
internal sealed class RecentTexts
{
    private const int Slots = 64;

    private readonly string?[] _texts = new string?[Slots];

    /// <summary>The text as a string, cut off after <see cref="RequestRecord.MaxTextChars"/>; null when there is none.</summary>
    public string? Of(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
        {
            return null;
        }

        text = text[..Math.Min(text.Length, RequestRecord.MaxTextChars)];
        var hash = default(HashCode);
        hash.AddBytes(text);
        ref string? slot = ref _texts[(uint)hash.ToHashCode() % Slots];
        string? known = Volatile.Read(ref slot);
        if (known is not null && Ascii.Equals(text, known))
        {
            return known;
        }

        string made = Encoding.ASCII.GetString(text);
        Volatile.Write(ref slot, made);
        return made;
    }
}
