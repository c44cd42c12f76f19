using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Store;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.StoreSim;

/// <summary>How long a store with many objects takes from start to serving, and what memory its index takes.</summary>
internal static class OpenBench
{
    private const int SegmentBits = 28;
    private const int PageBits = 23;
    private const int ObjectBytes = 32 << 10; // the mean that the store sizes its index for
    private const int RowsASegment = (1 << SegmentBits) / ObjectBytes;

    /// <summary>
    /// Makes a store whose segments are empty and whose tables list <paramref name="objects"/> objects, and opens it so many times: one
    /// line of JSON each.
    /// </summary>
    /// <param name="objects">Objects of 32 KiB.</param>
    /// <param name="rounds">The first one is a cold process: its code is not compiled, its memory not there.</param>
    public static async Task RunAsync(int objects, int rounds)
    {
        string path = Directory.CreateTempSubdirectory("breakwater-open-").FullName;
        try
        {
            Make(Path.Combine(path, "objects"), objects);
            StoreOptions options = OptionsFor(path, objects);
            for (int round = 0; round < rounds; round++)
            {
                GC.Collect(2, GCCollectionMode.Aggressive, blocking: true);
                long before = Environment.WorkingSet;
                Environment.ProcessCpuUsage processor = Environment.CpuUsage;
                Stopwatch time = Stopwatch.StartNew();
                await using FasterObjectStore store = await FasterObjectStore.OpenAsync(options);
                double seconds = time.Elapsed.TotalSeconds;
                double user = (Environment.CpuUsage.UserTime - processor.UserTime).TotalSeconds;
                double system = (Environment.CpuUsage.PrivilegedTime - processor.PrivilegedTime).TotalSeconds;
                GC.Collect(2, GCCollectionMode.Aggressive, blocking: true);
                Console.WriteLine(JsonSerializer.Serialize(new
                {
                    store.Statistics.Objects,
                    Seconds = Math.Round(seconds, 2),
                    UserSeconds = Math.Round(user, 2),
                    SystemSeconds = Math.Round(system, 2),
                    ResidentMiB = (Environment.WorkingSet - before) >> 20,
                }));
            }
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    /// <summary>
    /// Makes the store only, at a path that must not exist: for a start of the whole proxy on it. Its quota goes into the file
    /// <c>quota</c>.
    /// </summary>
    public static void MakeAt(string path, int objects)
    {
        Make(Path.Combine(path, "objects"), objects);
        File.WriteAllText(Path.Combine(path, "quota"), OptionsFor(path, objects).QuotaBytes!.Value.ToString(CultureInfo.InvariantCulture));
    }

    private static StoreOptions OptionsFor(string path, int objects) =>
        new() { Path = path, QuotaBytes = (objects + (8 * RowsASegment)) * (long)ObjectBytes };

    private static void Make(string directory, int objects)
    {
        StoreDisk disk = new();
        SegmentSet segments = new(directory, SegmentBits, disk);
        int count = (objects + RowsASegment - 1) / RowsASegment;
        Span<byte> digest = stackalloc byte[20];
        Random random = new(1);
        for (int id = 0; id < count; id++)
        {
            TableRow[] rows = new TableRow[Math.Min(RowsASegment, objects - (id * RowsASegment))];
            for (int i = 0; i < rows.Length; i++)
            {
                random.NextBytes(digest);
                rows[i] = new TableRow(new ObjectKey(digest, DigestAlgorithm.Sha1, 0), ObjectBytes - 100, (uint)(64 + (i * ObjectBytes)),
                    EntryKind.Whole, default);
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
