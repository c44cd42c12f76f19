using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Faster;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.Proxy.Commands.Store;

/// <summary>One line of the bench: the store against the plain way to do the same, in the same run on the same disk.</summary>
/// <param name="What">What was done.</param>
/// <param name="Store">The store's figure.</param>
/// <param name="Plain">The plain way's figure.</param>
/// <param name="Unit">Of both.</param>
/// <param name="Ratio">Store by plain.</param>
/// <param name="AllocatedBytes">Bytes allocated by the store for one operation.</param>
internal sealed record BenchLine(string What, double Store, double Plain, string Unit, double Ratio, long AllocatedBytes);

/// <summary>
/// <c>breakwater store bench</c>: what the store costs on this machine and disk. Uses a temporary store beside Store:Path; needs about 1.5 GiB of room there.
/// </summary>
internal static class StoreBench
{
    private const int SmallObjects = 10_000;
    private const int SmallBytes = 20_000;
    private const int LargeObjects = 40;
    private const int LargeBytes = 8 << 20;

    public static Command Create(Option<bool> json)
    {
        Command command = new("bench", "Measures this disk: writes and hot reads of a temporary store against plain files") { SettingsFile.Option, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            BreakwaterSettings settings = BreakwaterSettings.Load(SettingsFile.Load(parsed.GetValue(SettingsFile.Option)));
            string directory = Path.Combine(settings.Store.Path!, $"bench-{Environment.ProcessId}");
            Directory.CreateDirectory(directory);
            try
            {
                List<BenchLine> lines = await RunAsync(directory, cancellationToken);
                Print(lines, parsed.GetValue(json));
                return 0;
            }
            finally
            {
                Directory.Delete(directory, recursive: true);
            }
        });
        return command;
    }

    private static async Task<List<BenchLine>> RunAsync(string directory, CancellationToken cancellationToken)
    {
        List<BenchLine> lines = [];
        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(new StoreOptions { Path = Path.Combine(directory, "store"), QuotaBytes = 4L << 30 }, null, null, cancellationToken);
        (ObjectKey Key, byte[] Bytes)[] small = [.. Enumerable.Range(0, SmallObjects).Select(i => Make(i, SmallBytes))];
        double storeSmall = await WriteAllAsync(store, small);
        double filesSmall = WriteFiles(Path.Combine(directory, "files"), small);
        lines.Add(new BenchLine("write 20 KB objects (against a file each, not synced)", storeSmall, filesSmall, "MB/s", storeSmall / filesSmall, 0));

        (ObjectKey Key, byte[] Bytes)[] large = [.. Enumerable.Range(0, LargeObjects).Select(i => Make(1_000_000 + i, LargeBytes))];
        double storeLarge = await WriteAllAsync(store, large);
        double dd = WriteOneFile(Path.Combine(directory, "one"), large);
        lines.Add(new BenchLine("write 8 MiB objects (against one file, synced at its end)", storeLarge, dd, "MB/s", storeLarge / dd, 0));

        foreach ((int bytes, int operations) in ((int, int)[])[(4_096, 200_000), (20_000, 100_000), (262_144, 20_000), (LargeBytes, 400)])
        {
            lines.Add(await ReadAsync(store, directory, bytes, operations));
        }

        return lines;
    }

    private static async Task<BenchLine> ReadAsync(FasterObjectStore store, string directory, int bytes, int operations)
    {
        const int Objects = 50;
        (ObjectKey Key, byte[] Bytes)[] objects = [.. Enumerable.Range(0, bytes > 1_000_000 ? 8 : Objects).Select(i => Make(2_000_000 + bytes + i, bytes))];
        await WriteAllAsync(store, objects);
        string path = Path.Combine(directory, $"plain-{bytes}");
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite);
        for (int i = 0; i < objects.Length; i++)
        {
            RandomAccess.Write(file, objects[i].Bytes, (long)i * bytes);
        }

        byte[] buffer = new byte[Math.Min(bytes, 256 << 10)];
        double best = double.MaxValue;
        double bestPlain = double.MaxValue;
        long allocated = 0;
        for (int round = 0; round < 4; round++) // the first one warms up; the best of the others counts
        {
            long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
            TimeSpan start = Environment.CpuUsage.TotalTime;
            for (int i = 0; i < operations; i++)
            {
                ReadFromStore(store, objects[i % objects.Length].Key, buffer);
            }

            TimeSpan middle = Environment.CpuUsage.TotalTime;
            allocated = (GC.GetAllocatedBytesForCurrentThread() - allocatedBefore) / operations;
            for (int i = 0; i < operations; i++)
            {
                ReadPlain(file, (long)(i % objects.Length) * bytes, bytes, buffer);
            }

            TimeSpan end = Environment.CpuUsage.TotalTime;
            best = Math.Min(best, round == 0 ? double.MaxValue : (middle - start).TotalMicroseconds / operations);
            bestPlain = Math.Min(bestPlain, round == 0 ? double.MaxValue : (end - middle).TotalMicroseconds / operations);
        }

        return new BenchLine($"hot read of {bytes:N0} B, index lookup included (against pread)", best, bestPlain, "µs CPU", best / bestPlain, allocated);
    }

    private static void ReadFromStore(FasterObjectStore store, in ObjectKey key, byte[] buffer)
    {
        if (!store.TryOpen(key, out ObjectLease? lease))
        {
            throw new InvalidOperationException("A bench object is gone.");
        }

        using (lease)
        {
            for (long offset = 0; offset < lease.Length;)
            {
                int n = lease.TryRead(offset, buffer);
                offset += n > 0 ? n : lease.ReadAsync(offset, buffer).AsTask().GetAwaiter().GetResult();
            }
        }
    }

    private static void ReadPlain(SafeFileHandle file, long start, int bytes, byte[] buffer)
    {
        for (int offset = 0; offset < bytes;)
        {
            offset += RandomAccess.Read(file, buffer.AsSpan(0, Math.Min(buffer.Length, bytes - offset)), start + offset);
        }
    }

    /// <summary>MB/s until all is acknowledged.</summary>
    private static async Task<double> WriteAllAsync(FasterObjectStore store, (ObjectKey Key, byte[] Bytes)[] objects)
    {
        Stopwatch time = Stopwatch.StartNew();
        List<Task> commits = new(objects.Length);
        foreach ((ObjectKey key, byte[] bytes) in objects)
        {
            ObjectWriter writer = store.BeginWrite(key, bytes.Length);
            await writer.AppendAsync(bytes);
            writer.Verify();
            commits.Add(CommitAndDisposeAsync(writer));
        }

        await Task.WhenAll(commits);
        return objects.Sum(o => (long)o.Bytes.Length) / time.Elapsed.TotalSeconds / 1e6;
    }

    private static async Task CommitAndDisposeAsync(ObjectWriter writer)
    {
        await writer.CommitAsync();
        await writer.DisposeAsync();
    }

    private static double WriteFiles(string directory, (ObjectKey Key, byte[] Bytes)[] objects)
    {
        Directory.CreateDirectory(directory);
        Stopwatch time = Stopwatch.StartNew();
        foreach ((ObjectKey key, byte[] bytes) in objects)
        {
            CacheStore.Hashing.ObjectHasher.Hash(DigestAlgorithm.Sha1, bytes); // the store verifies, too
            File.WriteAllBytes(Path.Combine(directory, key.ToString()), bytes);
        }

        return objects.Sum(o => (long)o.Bytes.Length) / time.Elapsed.TotalSeconds / 1e6;
    }

    private static double WriteOneFile(string path, (ObjectKey Key, byte[] Bytes)[] objects)
    {
        Stopwatch time = Stopwatch.StartNew();
        using (SafeFileHandle file = File.OpenHandle(path, FileMode.Create, FileAccess.Write))
        {
            long offset = 0;
            foreach ((_, byte[] bytes) in objects)
            {
                RandomAccess.Write(file, bytes, offset);
                offset += bytes.Length;
            }

            RandomAccess.FlushToDisk(file);
        }

        return objects.Sum(o => (long)o.Bytes.Length) / time.Elapsed.TotalSeconds / 1e6;
    }

    private static (ObjectKey Key, byte[] Bytes) Make(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return (new ObjectKey(CacheStore.Hashing.ObjectHasher.Hash(DigestAlgorithm.Sha1, bytes), DigestAlgorithm.Sha1, 0), bytes);
    }

    private static void Print(List<BenchLine> lines, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { Processors = Environment.ProcessorCount, Runtime = Environment.Version.ToString(), Lines = lines }, AdminServer.Json));
            return;
        }

        foreach (BenchLine line in lines)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{line.What,-66} {line.Store,9:F1} against {line.Plain,9:F1} {line.Unit,-7} = {line.Ratio:F2}   {line.AllocatedBytes} B allocated"));
        }
    }
}
