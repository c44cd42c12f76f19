using System.Text;
using Breakwater.CacheStore;

namespace Breakwater.Proxy.Seeding.Format;

/// <summary>The document <see cref="SeedPath.Inherited"/>: objects that an earlier bundle has brought, a name a line, in order.</summary>
internal static class InheritedList
{
    private const int MaxKeyChars = 64;

    /// <summary>Reads it by the line: a list of nothing but single letters would be 30 million texts.</summary>
    /// <param name="bytes">The document.</param>
    /// <param name="offset">Where it begins in the bundle.</param>
    /// <exception cref="SeedRefusedException">A line is no name of an object, or out of order.</exception>
    public static List<ObjectKey> Read(byte[] bytes, long offset)
    {
        List<ObjectKey> keys = [];
        Span<char> text = stackalloc char[MaxKeyChars];
        foreach (Range line in new ReadOnlySpan<byte>(bytes).Split((byte)'\n'))
        {
            ReadOnlySpan<byte> name = bytes.AsSpan(line);
            if (name.IsEmpty)
            {
                continue;
            }

            if (name.Length > MaxKeyChars || !ObjectKey.TryParse(text[..Encoding.Latin1.GetChars(name, text)], out ObjectKey key)
                || (keys.Count > 0 && SeedPath.Compare(keys[^1], key) >= 0))
            {
                throw new SeedRefusedException(
                    SeedPath.Inherited, offset + line.Start.Value, "has a line that is not the name of an object, or is out of order");
            }

            keys.Add(key);
        }

        return keys;
    }
}
