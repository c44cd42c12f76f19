using System.Buffers.Binary;
using System.Text;
using Breakwater.CacheStore.Hashing;

namespace Breakwater.CacheStore.Heads;

/// <summary>The payload of a head's entry: length of the name (4 bytes), name in UTF-8, head. The entry's key is the name's.</summary>
internal static class HeadEntry
{
    private const int FixedBytes = 4;

    /// <summary>The key of a head.</summary>
    public static ObjectKey KeyOf(string name) => NamedKey.Of(Encoding.UTF8.GetBytes(name));

    /// <summary>Bytes of the payload.</summary>
    public static long LengthOf(string name, ReadOnlyMemory<byte> head) =>
        FixedBytes + (long)Encoding.UTF8.GetByteCount(name) + head.Length;

    public static byte[] Encode(string name, ReadOnlyMemory<byte> head)
    {
        byte[] payload = new byte[LengthOf(name, head)];
        int nameBytes = Encoding.UTF8.GetBytes(name, payload.AsSpan(FixedBytes));
        BinaryPrimitives.WriteInt32LittleEndian(payload, nameBytes);
        head.Span.CopyTo(payload.AsSpan(FixedBytes + nameBytes));
        return payload;
    }

    /// <summary>The name in a payload; null: it is none.</summary>
    public static string? NameIn(ReadOnlySpan<byte> payload) =>
        TryNameBytes(payload, out int nameBytes) ? Encoding.UTF8.GetString(payload.Slice(FixedBytes, nameBytes)) : null;

    /// <summary>The head in a payload, as a slice of it. False: it is none, or of another name.</summary>
    public static bool TryHeadIn(ReadOnlyMemory<byte> payload, string name, out ReadOnlyMemory<byte> head)
    {
        bool isRight = TryNameBytes(payload.Span, out int nameBytes) && NameIn(payload.Span) == name;
        head = isRight ? payload[(FixedBytes + nameBytes)..] : default;
        return isRight;
    }

    private static bool TryNameBytes(ReadOnlySpan<byte> payload, out int nameBytes)
    {
        nameBytes = payload.Length < FixedBytes ? -1 : BinaryPrimitives.ReadInt32LittleEndian(payload);
        return nameBytes >= 0 && nameBytes <= payload.Length - FixedBytes;
    }
}
