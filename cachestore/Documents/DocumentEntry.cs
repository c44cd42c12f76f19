using System.Buffers.Binary;
using System.Text;

namespace Breakwater.CacheStore.Documents;

/// <summary>
/// The payload of a document's entry: key length (2 bytes), head length (4), time in UTC ticks (8), key in UTF-8, head, body.
/// </summary>
internal static class DocumentEntry
{
    private const int FixedBytes = 14;

    public const int MaxKeyBytes = 4096;

    public static byte[] Encode(string key, StoredDocument? document)
    {
        int keyBytes = Encoding.UTF8.GetByteCount(key);
        int headBytes = document?.Head.Length ?? 0;
        byte[] payload = new byte[LengthOf(key, document)];
        BinaryPrimitives.WriteUInt16LittleEndian(payload, (ushort)keyBytes);
        BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(2), headBytes);
        BinaryPrimitives.WriteInt64LittleEndian(payload.AsSpan(6), document?.StoredAt.UtcTicks ?? 0);
        Encoding.UTF8.GetBytes(key, payload.AsSpan(FixedBytes));
        document?.Head.Span.CopyTo(payload.AsSpan(FixedBytes + keyBytes));
        document?.Body.Span.CopyTo(payload.AsSpan(FixedBytes + keyBytes + headBytes));
        return payload;
    }

    /// <summary>Bytes of a payload.</summary>
    public static int LengthOf(string key, StoredDocument? document) =>
        FixedBytes + Encoding.UTF8.GetByteCount(key) + (document is null ? 0 : document.Head.Length + document.Body.Length);

    /// <summary>Reads a payload. The document's memory is a slice of it.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> payload, out string key, out StoredDocument document)
    {
        key = "";
        document = null!;
        ReadOnlySpan<byte> bytes = payload.Span;
        if (bytes.Length < FixedBytes)
        {
            return false;
        }

        int keyBytes = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        int headBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[2..]);
        long ticks = BinaryPrimitives.ReadInt64LittleEndian(bytes[6..]);
        if (headBytes < 0 || FixedBytes + (long)keyBytes + headBytes > bytes.Length || ticks < 0
            || ticks > DateTimeOffset.MaxValue.UtcTicks)
        {
            return false;
        }

        key = Encoding.UTF8.GetString(bytes.Slice(FixedBytes, keyBytes));
        int head = FixedBytes + keyBytes;
        document = new StoredDocument(payload[(head + headBytes)..], payload.Slice(head, headBytes),
            new DateTimeOffset(ticks, TimeSpan.Zero));
        return true;
    }
}
