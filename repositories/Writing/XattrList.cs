namespace Breakwater.Repositories.Writing;

/// <summary>
/// Extended attributes of a file as one blob: <c>01</c>, their number, then for each the lengths of name and value, name, value.
/// </summary>
public static class XattrList
{
    private const byte Version = 1;

    /// <summary>Most attributes of a file, and longest name and value: each is one byte in the blob.</summary>
    public const int Max = 255;

    /// <summary>Can this attribute be in a blob?</summary>
    public static bool Fits(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => name.Length is > 0 and <= Max && value.Length <= Max;

    /// <summary>The blob, names in order; null where there are none: an empty blob would be counted as some.</summary>
    /// <param name="attributes">Names and values that fit; at most <see cref="Max"/>.</param>
    public static byte[]? Encode(IReadOnlyCollection<KeyValuePair<byte[], byte[]>> attributes)
    {
        if (attributes.Count == 0)
        {
            return null;
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan(attributes.Count, Max);
        using var blob = new MemoryStream();
        blob.WriteByte(Version);
        blob.WriteByte((byte)attributes.Count);
        var byBytes = Comparer<byte[]>.Create(static (a, b) => a.AsSpan().SequenceCompareTo(b));
        foreach ((byte[] name, byte[] value) in attributes.OrderBy(pair => pair.Key, byBytes))
        {
            if (!Fits(name, value))
            {
                throw new ArgumentException("An attribute is too long.", nameof(attributes));
            }

            blob.WriteByte((byte)name.Length);
            blob.WriteByte((byte)value.Length);
            blob.Write(name);
            blob.Write(value);
        }

        return blob.ToArray();
    }

    /// <summary>Takes a blob apart. Null: it is none.</summary>
    public static IReadOnlyList<KeyValuePair<byte[], byte[]>>? Decode(ReadOnlySpan<byte> blob)
    {
        if (blob.Length < 2 || blob[0] != Version)
        {
            return null;
        }

        List<KeyValuePair<byte[], byte[]>> attributes = [];
        ReadOnlySpan<byte> rest = blob[2..];
        for (int i = 0; i < blob[1]; i++)
        {
            if (rest.Length < 2 || rest.Length < 2 + rest[0] + rest[1])
            {
                return null;
            }

            (int nameLength, int valueLength) = (rest[0], rest[1]);
            attributes.Add(new(rest.Slice(2, nameLength).ToArray(), rest.Slice(2 + nameLength, valueLength).ToArray()));
            rest = rest[(2 + nameLength + valueLength)..];
        }

        return rest.IsEmpty ? attributes : null;
    }
}
