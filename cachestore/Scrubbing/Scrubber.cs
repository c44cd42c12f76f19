using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Hashing;
using Breakwater.CacheStore.Index;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Staging;
using Breakwater.CacheStore.Store;
using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Scrubbing;

/// <summary>
/// Reads every stored object again and hashes it. A bad one is put into quarantine and forgotten, so that the next request fetches it;
/// whoever registered for it is told, to heal what is pinned.
/// </summary>
internal sealed class Scrubber(FasterObjectStore store, string quarantineDirectory, ILogger logger)
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
        using EntryReader reader = new(store.Log.Segments);
        foreach (StoredObjectInfo stored in store.List())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!store.Index.TryGet(stored.Key, out IndexEntry entry))
            {
                continue; // evicted meanwhile
            }

            objects++;
            bytes += entry.Length;
            if (!IsRight(reader, stored.Key, entry) && store.Index.TryGet(stored.Key, out IndexEntry now) && now.Address == entry.Address)
            {
                damaged.Add(stored.Key);
                if (isRepairing)
                {
                    Quarantine(stored.Key, entry);
                    store.Forget(stored.Key, entry.Address, "the scrubber found that it does not have its hash any more");
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
            ReadOnlySpan<byte> part = reader.Read(parts[i], StagedObject.PartLength(entry.Length, i));
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
            StoreFolder.Make(quarantineDirectory);
            FileInfo[] files = [.. new DirectoryInfo(quarantineDirectory).GetFiles().OrderBy(static file => file.LastWriteTimeUtc)];
            foreach (FileInfo file in files.Take(files.Length - MostQuarantined + 1))
            {
                file.Delete();
            }

            int payload = entry.IsSealed ? EntryReader.SealBytes(entry.Length) : (int)entry.Length;
            byte[] bytes = new byte[EntryHeader.SizeBytes + payload];
            if (store.Log.Segments.TryAcquire(entry.Address, out Segment? segment))
            {
                int n = store.Disk.ReadFully(segment.Handle, bytes, store.Log.Segments.OffsetOf(entry.Address) + BlobLog.LengthPrefixBytes);
                segment.Release();
                File.WriteAllBytes(Path.Combine(quarantineDirectory, $"{key}-{entry.Address}"), bytes.AsSpan(0, n));
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            logger.LogWarning(failure, "The damaged bytes of {Key} could not be put into quarantine.", key);
        }
    }
}
