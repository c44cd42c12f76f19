using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;
using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Documents;

/// <summary>Reads documents' entries from the files of their log, and checks them. Thread-safe.</summary>
internal sealed class DocumentReader(BlobLog log, ILogger logger)
{
    /// <summary>The document of an entry; null: it is damaged, or cannot be read.</summary>
    /// <param name="address">Where the entry is.</param>
    /// <param name="payloadBytes">Bytes of its payload.</param>
    /// <param name="key">The document's name.</param>
    public StoredDocument? Load(long address, int payloadBytes, out string key)
    {
        key = "";
        if (!log.Segments.TryAcquire(address, out Segment? segment))
        {
            return null;
        }

        try
        {
            byte[] bytes = new byte[EntryHeader.SizeBytes + payloadBytes];
            int n = log.Segments.Disk.ReadFully(segment.Handle, bytes, log.Segments.OffsetOf(address) + BlobLog.LengthPrefixBytes);
            EntryHeader header = EntryHeader.Read(bytes);
            ReadOnlyMemory<byte> payload = bytes.AsMemory(EntryHeader.SizeBytes);
            bool isRight = n == bytes.Length && header.IsValid && header.Matches(payload.Span);
            return isRight && DocumentEntry.TryDecode(payload, out key, out StoredDocument document) ? document : null;
        }
        catch (IOException failure)
        {
            logger.LogWarning(failure, "A document at {Address} of the store's log cannot be read.", address);
            return null;
        }
        finally
        {
            segment.Release();
        }
    }
}
