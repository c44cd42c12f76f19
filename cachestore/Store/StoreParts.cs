using System.Globalization;
using System.Numerics;
using System.Text;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Documents;
using Breakwater.CacheStore.Index;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Pins;
using Breakwater.CacheStore.Quotas;
using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Store;

/// <summary>What a store is made of, opened and recovered.</summary>
internal sealed record StoreParts(
    StoreDisk Disk, DiskHealth Health, BlobLog Log, ObjectIndex Index, FasterDocumentStore? Documents, PinSets Pins,
    StoreShares Shares, StoreRecovery Recovered, long QuotaBytes)
{
    /// <summary>The directory of the objects' log within the store's.</summary>
    public const string ObjectsName = "objects";

    private const double DefaultShareOfFree = 0.8;
    private const long ObjectsForHugePages = 200_000; // 16 MB of index
    internal const long SmallestObjectsMean = 32 << 10; // sizes the index's table; the mean of CernVM-FS is above

    public static StoreParts Open(string path, StoreOptions options, StoreDisk disk, TimeProvider time, ILogger logger)
    {
        DiskHealth health = new(time, logger);
        string objects = Path.Combine(path, ObjectsName);
        long quota = options.QuotaBytes ?? RememberedQuota(path, objects, disk);
        if (quota < StoreOptions.MinQuotaBytes && options.QuotaBytes is null)
        {
            throw new IOException(
                $"The disk of {path} is too full for a store: Store:QuotaBytes would be {quota}, and at least {StoreOptions.MinQuotaBytes} "
                + $"are needed. Free space on it, or set Store:Path to another.");
        }

        if (quota < options.LeastQuotaBytes)
        {
            throw new ArgumentException(
                $"Store:QuotaBytes is {quota}; a store needs at least {options.LeastQuotaBytes}. Give it more, or free space on its "
                + $"disk.", nameof(options));
        }

        StoreShares shares = new(logger);
        (BlobLog log, ObjectIndex index, StoreRecovery recovered) =
            OpenOrMoveAside(objects, disk, time, logger, () =>
            {
                shares = new StoreShares(logger); // counts from nothing, should it be the second try
                shares.Replace(options.Shares);
                return OpenObjects(path, objects, quota, options.IndexMemoryBytes, shares, disk, health, logger);
            });
        using Opening opening = new();
        opening.Add(log);
        opening.Add(index);
        PinSets pins =
            new(Path.Combine(path, "pins"), quota, disk, key => index.TryGet(key, out IndexEntry entry) ? entry.Length : null, logger);
        string documentsPath = Path.Combine(path, "documents");
        FasterDocumentStore? documents = options.IsNamed ? null
            : OpenOrMoveAside(documentsPath, disk, time, logger, () => FasterDocumentStore.Open(documentsPath, disk, health, logger));
        opening.Complete();
        return new StoreParts(disk, health, log, index, documents, pins, shares, recovered, quota);
    }

    private static (BlobLog Log, ObjectIndex Index, StoreRecovery Recovered) OpenObjects(
        string path, string objects, long quota, long indexMemoryBytes, StoreShares shares, StoreDisk disk, DiskHealth health,
        ILogger logger)
    {
        using Opening opening = new();
        BlobLog log = opening.Add(BlobLog.Open(objects, GeometryFor(quota), disk, health, out CommittedRange range));
        long objectsNow = log.Segments.TableBytes() / TableRow.SizeBytes;
        if (objectsNow > ObjectsForHugePages)
        {
            HugePages.AdviseHeap();
        }

        string indexPath = Path.Combine(path, "index");
        disk.MakeFolder(indexPath);
        long keptFrom = log.Segments.StartOf(SegmentSet.FirstKeptId);
        ObjectIndex index = opening.Add(
            new ObjectIndex(quota / SmallestObjectsMean, objectsNow, indexMemoryBytes, Path.Combine(indexPath, "spill"), shares, keptFrom));
        StoreRecovery recovered = new Recovery(log, index, shares, logger).Run(range);
        opening.Complete();
        return (log, index, recovered);
    }

    /// <summary>A cache that cannot be understood must not keep the server from starting: it is put aside, and begun anew.</summary>
    internal static T OpenOrMoveAside<T>(string directory, StoreDisk disk, TimeProvider time, ILogger logger, Func<T> open)
    {
        try
        {
            return open();
        }
        catch (Exception failure) when (failure is ArgumentException || BlobLog.IsUnreadable(failure))
        {
            string stamped = string.Create(CultureInfo.InvariantCulture, $"{directory}.aside-{time.GetUtcNow():yyyyMMdd-HHmmss}");
            string aside = stamped;
            for (int number = 2; disk.HasFolder(aside); number++)
            {
                aside = string.Create(CultureInfo.InvariantCulture, $"{stamped}-{number}"); // the clock has shown this second before
            }

            logger.LogError(failure,
                "{Directory} cannot be used and was moved to {Aside}; the store begins anew. Delete it, or go back to the version that "
                + "wrote it.", directory, aside);
            disk.MoveFolder(directory, aside);
            return open();
        }
    }

    /// <summary>
    /// Segments of 4 to 256 MiB, about 64 of them in the quota. Pages of at most 8 MiB with parts of 256 KiB waste about 2 % of the log; 4
    /// pages are what the log keeps in memory.
    /// </summary>
    internal static LogGeometry GeometryFor(long quota)
    {
        int segmentBits = Math.Clamp(BitOperations.Log2((ulong)quota / 64), 22, 28);
        int pageBits = Math.Min(23, segmentBits - 1);
        return new LogGeometry(pageBits, pageBits + 2, segmentBits);
    }

    /// <summary>The quota is fixed at the first start: it must not shrink because the store itself fills the disk.</summary>
    private static long RememberedQuota(string path, string objects, StoreDisk disk)
    {
        string file = Path.Combine(path, "quota");
        if (disk.HasFile(file) && long.TryParse(disk.ReadAll(file), NumberStyles.None, CultureInfo.InvariantCulture, out long remembered)
            && remembered >= StoreOptions.MinQuotaBytes)
        {
            return remembered;
        }

        long quota = (long)(DefaultShareOfFree * (disk.FreeBytes(path) + disk.BytesOf(objects)));
        disk.WriteWhole(file, Encoding.ASCII.GetBytes(quota.ToString(CultureInfo.InvariantCulture)));
        return quota;
    }
}
