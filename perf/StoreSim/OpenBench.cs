using System.Diagnostics;
using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Faster;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.StoreSim;

/// <summary>How long a store with many objects takes from start to serving, and what memory its index takes.</summary>
internal static class OpenBench
{
    private const int SegmentBits = 28;
    private const int PageBits = 23;

    /// <summary>Makes a store whose segments are empty and whose tables list <paramref name="objects"/> objects, and opens it three times.</summary>
    public static async Task RunAsync(int objects)
    {
        string path = Directory.CreateTempSubdirectory("breakwater-open-").FullName;
        try
        {
            Make(Path.Combine(path, "objects"), objects);
            StoreOptions options = new() { Path = path, QuotaBytes = objects * (32L << 10) };
            for (int round = 0; round < 3; round++)
            {
                GC.Collect(2, GCCollectionMode.Aggressive, blocking: true);
                long before = Environment.WorkingSet;
                Stopwatch time = Stopwatch.StartNew();
                await using FasterObjectStore store = await FasterObjectStore.OpenAsync(options);
                TimeSpan passed = time.Elapsed;
                GC.Collect(2, GCCollectionMode.Aggressive, blocking: true);
                long memory = Environment.WorkingSet - before;
                Console.WriteLine($"{store.Statistics.Objects:N0} objects: open in {passed.TotalSeconds:F2} s, {memory / (1 << 20)} MiB more resident, {(double)memory / objects:F0} B an object");
            }
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    private static void Make(string directory, int objects)
    {
        const int Rows = 500_000;
        StoreDisk disk = new();
        SegmentSet segments = new(directory, SegmentBits, disk);
        int count = (objects + Rows - 1) / Rows;
        byte[] digest = new byte[20];
        for (int id = 0; id < count; id++)
        {
            TableRow[] rows = new TableRow[Math.Min(Rows, objects - (id * Rows))];
            for (int i = 0; i < rows.Length; i++)
            {
                RandomNumberGenerator.Fill(digest);
                rows[i] = new TableRow(new ObjectKey(digest, DigestAlgorithm.Sha1, 0), 400, 64u + ((uint)i * 468u), EntryKind.Whole);
            }

            using SafeFileHandle file = disk.Open(segments.PathOf(id));
            RandomAccess.SetLength(file, 1L << SegmentBits);
            SegmentTable.Write(segments, id, rows);
        }

        segments.Dispose();
        using DiskHealth health = new(TimeProvider.System, NullLogger.Instance);
        using CommitRecord record = new(directory, PageBits, SegmentBits, disk, health);
        record.Commit(BlobLog.FirstAddress, (long)count << SegmentBits, [], 1, false);
    }
}
