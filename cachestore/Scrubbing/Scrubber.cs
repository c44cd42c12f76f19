using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Hashing;
using Breakwater.CacheStore.Index;
using Breakwater.CacheStore.Log;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Scrubbing;

/// <summary>
/// Reads every stored object again and hashes it. A bad one is put into quarantine and forgotten, so that the next request fetches it;
/// whoever registered for it is told, to heal what is pinned.
/// </summary>
internal sealed class Scrubber(ObjectTable table, BlobLog log, string quarantineDirectory, ILogger logger)
{
    /// <summary>Entries kept for inspection; older ones make room.</summary>
    private const int MostQuarantined = 100;

    /// <summary>Passes once over the store.</summary>
    /// <param name="pace">Null: as fast as the disk can.</param>
    /// <param name="isRepairing">Forget what is bad? Else it is only reported.</param>
    /// <param name="cancellationToken">Ends the pass early.</param>
    public async Task<ScrubReport> PassAsync(ScrubPace? pace, bool isRepairing, CancellationToken cancellationToken)
    {
        long objects = 0;
        long bytes = 0;
        List<ObjectKey> damaged = [];
        using EntryReader reader = new(log.Segments);
        foreach (StoredObjectInfo stored in table.List())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!table.TryGet(stored.Key, out IndexEntry entry))
            {
                continue; // evicted meanwhile
            }

            objects++;
            bytes += entry.Length;
            if (!IsRight(reader, stored.Key, entry) && table.TryGetAt(stored.Key, entry.Address, out _))
            {
                damaged.Add(stored.Key);
                if (isRepairing)
                {
                    Quarantine(stored.Key, entry);
                    table.Forget(stored.Key, entry.Address, "the scrubber found that it does not have its hash any more");
                }
            }

            if (pace is not null)
            {
                await pace.SpendAsync(entry.Length + EntryHeader.SizeBytes, cancellationToken);
            }
        }

        return new ScrubReport(objects, bytes, damaged);
    }

    private static bool IsRight(EntryReader reader, in ObjectKey key, in IndexEntry entry)
    {
        using ObjectHasher hasher = ObjectHasher.Create(key.Algorithm);
        if (!entry.IsSealed)
        {
            ReadOnlySpan<byte> whole = reader.Read(entry.Address, (int)entry.Length);
            hasher.Append(whole.IsEmpty ? default : whole[EntryHeader.SizeBytes..]);
            return !whole.IsEmpty && hasher.FinishMatches(key);
        }

        long[]? parts = reader.ReadSeal(entry.Address, key, entry.Length);
        for (int i = 0; i < parts?.Length; i++)
        {
            ReadOnlySpan<byte> part = reader.Read(parts[i], PartSize.Of(entry.Length, i));
            if (part.IsEmpty)
            {
                return false;
            }

            hasher.Append(part[EntryHeader.SizeBytes..]);
        }

        return parts is not null && hasher.FinishMatches(key);
    }

    /// <summary>Keeps the entry's bytes as they are on the disk, for whoever looks into the disk's health. Best effort.</summary>
    private void Quarantine(in ObjectKey key, in IndexEntry entry)
    {
        try
        {
            StoreDisk disk = log.Segments.Disk;
            disk.MakeFolder(quarantineDirectory);
            IReadOnlyList<string> files = disk.FilesByAge(quarantineDirectory);
            foreach (string path in files.Take(files.Count - MostQuarantined + 1))
            {
                disk.Delete(path);
            }

            int payload = entry.IsSealed ? EntryReader.SealBytes(entry.Length) : (int)entry.Length;
            byte[] bytes = new byte[EntryHeader.SizeBytes + payload];
            if (log.Segments.TryAcquire(entry.Address, out Segment? segment))
            {
                int n = disk.ReadFully(segment.Handle, bytes, log.Segments.OffsetOf(entry.Address) + BlobLog.LengthPrefixBytes);
                segment.Release();
                using SafeFileHandle file = disk.Open(Path.Combine(quarantineDirectory, $"{key}-{entry.Address}"));
                disk.Write(file, bytes.AsSpan(0, n), 0);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            logger.LogWarning(failure, "The damaged bytes of {Key} could not be put into quarantine.", key);
        }
    }
}
