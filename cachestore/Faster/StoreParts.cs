using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Documents;
using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Faster;

/// <summary>What a store is made of, opened and recovered.</summary>
internal sealed record StoreParts(StoreDisk Disk, DiskHealth Health, BlobLog Log, ObjectIndex Index, FasterDocumentStore Documents, StoreRecovery Recovered)
{
    private const long ExpectedObjects = 4 << 20;
    private const long IndexMemoryBytes = 1L << 30;

    public static StoreParts Open(string path, LogGeometry geometry, StoreOptions options, StoreDisk disk, TimeProvider time, ILogger logger)
    {
        DiskHealth health = new(time, logger);
        BlobLog log = BlobLog.Open(Path.Combine(path, "objects"), geometry, disk, health, out CommittedRange range);
        ObjectIndex index = new(ExpectedObjects, IndexMemoryBytes, Path.Combine(path, "index", "spill"));
        StoreRecovery recovered = Recovery.Run(log, range, index);
        FasterDocumentStore documents = FasterDocumentStore.Open(Path.Combine(path, "documents"), disk, health, logger);
        return new StoreParts(disk, health, log, index, documents, recovered);
    }
}
