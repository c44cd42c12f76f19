using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands.Store;

/// <summary>
/// <c>breakwater store bench</c>: what the store costs on this machine and disk. Uses a temporary store beside Store:Path; needs 4 GiB of
/// room there.
/// </summary>
internal static class StoreBench
{
    private const int SmallBytes = 20_000;
    private const int LargeBytes = 8 << 20;

    /// <summary>Makes the command for <c>breakwater store</c>.</summary>
    /// <param name="json">Whether the figures are printed as JSON.</param>
    /// <param name="sizes">How much is written and read; null: the ordinary sizes.</param>
    public static Command Create(Option<bool> json, BenchSizes? sizes = null)
    {
        sizes ??= BenchSizes.Ordinary;
        Command command =
            new("bench", "Measures this disk: writes and hot reads of a temporary store against plain files") { SettingsFile.Option, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            BreakwaterSettings settings = SettingsFile.Read(parsed.GetValue(SettingsFile.Option)).Settings;
            Directory.CreateDirectory(settings.Store.Path!);
            DeleteLeftovers(settings.Store.Path!);
            if (new DriveInfo(settings.Store.Path!).AvailableFreeSpace is long free && free < sizes.RoomBytes)
            {
                throw new IOException(
                    $"store bench needs {sizes.RoomBytes >> 20:N0} MiB at {settings.Store.Path}; {free >> 20:N0} MiB are free. "
                    + $"Free some, or let Store:Path of another settings file point to the same disk with more room.");
            }

            string directory = Path.Combine(settings.Store.Path!, $"bench-{Environment.ProcessId}");
            Directory.CreateDirectory(directory);
            try
            {
                List<BenchLine> lines = await RunAsync(directory, sizes, cancellationToken);
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

    /// <summary>What benches left that were killed.</summary>
    private static void DeleteLeftovers(string path)
    {
        foreach (string left in Directory.EnumerateDirectories(path, "bench-*"))
        {
            if (int.TryParse(Path.GetFileName(left)["bench-".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int process)
                && !Directory.Exists($"/proc/{process}"))
            {
                Directory.Delete(left, recursive: true);
            }
        }
    }

    private static async Task<List<BenchLine>> RunAsync(string directory, BenchSizes sizes, CancellationToken cancellationToken)
    {
        List<BenchLine> lines = [];
        await using FasterObjectStore store =
            await FasterObjectStore.OpenAsync(new StoreOptions { Path = Path.Combine(directory, "store"), QuotaBytes = 4L << 30 }, null,
            null, cancellationToken);
        BenchFiles files = new(Path.Combine(directory, "files"));
        Func<(ObjectKey Key, byte[] Bytes)[], Task<double>> write = objects => WriteAllAsync(store, objects, cancellationToken);
        lines.Add(await WriteAsync("write 20 KB objects (against a file each, synced as ours are)",
            round => Make(round * sizes.SmallObjects, sizes.SmallObjects, SmallBytes), sizes.WriteRounds, write,
            files.WriteEachDurablyAsync));
        lines.Add(await WriteAsync("write 20 KB objects (against a file each, never synced)",
            round => Make(100_000 + (round * sizes.SmallObjects), sizes.SmallObjects, SmallBytes), sizes.WriteRounds, write,
            files.WriteEachAsync));
        lines.Add(await WriteAsync("write 8 MiB objects (against one file, synced at its end)",
            round => Make(1_000_000 + (round * sizes.LargeObjects), sizes.LargeObjects, LargeBytes), sizes.WriteRounds, write,
            files.WriteOneAsync));
        foreach ((int bytes, int operations) in sizes.Reads)
        {
            lines.Add(await ReadAsync(store, bytes, operations, sizes.ReadRounds, cancellationToken));
        }

        return lines;
    }

    /// <summary>
    /// Both ways in turn, other objects each time; the best of each counts, since other work on the machine only ever takes time.
    /// </summary>
    private static async Task<BenchLine> WriteAsync(
        string what, Func<int, (ObjectKey Key, byte[] Bytes)[]> make, int rounds,
        Func<(ObjectKey Key, byte[] Bytes)[], Task<double>> store, Func<(ObjectKey Key, byte[] Bytes)[], Task<double>> plain)
    {
        double best = 0;
        double bestPlain = 0;
        for (int round = 0; round < rounds; round++)
        {
            (ObjectKey Key, byte[] Bytes)[] objects = make(round);
            best = Math.Max(best, await store(objects));
            bestPlain = Math.Max(bestPlain, await plain(objects));
        }

        return new BenchLine(what, best, bestPlain, "MB/s", best / bestPlain, 0);
    }

    private static async Task<BenchLine> ReadAsync(
        FasterObjectStore store, int bytes, int operations, int rounds, CancellationToken cancellationToken)
    {
        (ObjectKey Key, byte[] Bytes)[] objects = Make(2_000_000 + bytes, bytes > 1_000_000 ? 8 : 50, bytes);
        await WriteAllAsync(store, objects, cancellationToken);
        byte[] buffer = new byte[Math.Min(bytes, 256 << 10)];
        using PlainReads plain = new(store, objects.Select(static o => o.Key), buffer);
        ObjectLease? lease = null;
        double best = double.MaxValue;
        double bestPlain = double.MaxValue;
        long allocated = 0;
        for (int round = 0; round < rounds; round++) // the first one warms up; the best of the others counts
        {
            cancellationToken.ThrowIfCancellationRequested();
            long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
            TimeSpan start = Environment.CpuUsage.TotalTime;
            for (int i = 0; i < operations; i++)
            {
                ReadFromStore(store, objects[i % objects.Length].Key, ref lease, buffer);
            }

            TimeSpan middle = Environment.CpuUsage.TotalTime;
            allocated = (GC.GetAllocatedBytesForCurrentThread() - allocatedBefore) / operations;
            for (int i = 0; i < operations; i++)
            {
                plain.Read(i % objects.Length);
            }

            TimeSpan end = Environment.CpuUsage.TotalTime;
            best = Math.Min(best, round == 0 ? double.MaxValue : (middle - start).TotalMicroseconds / operations);
            bestPlain = Math.Min(bestPlain, round == 0 ? double.MaxValue : (end - middle).TotalMicroseconds / operations);
        }

        return new BenchLine($"hot read of {bytes:N0} B, index lookup included (against pread of the same bytes)", best, bestPlain,
            "µs CPU", best / bestPlain, allocated);
    }

    private static void ReadFromStore(FasterObjectStore store, in ObjectKey key, ref ObjectLease? lease, byte[] buffer)
    {
        if (!store.TryReopen(key, ref lease))
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

    /// <summary>MB/s of one writer, until all is acknowledged.</summary>
    private static async Task<double> WriteAllAsync(
        FasterObjectStore store, (ObjectKey Key, byte[] Bytes)[] objects, CancellationToken cancellationToken)
    {
        Stopwatch time = Stopwatch.StartNew();
        List<Task> commits = new(objects.Length);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, store.Refusing);
        try
        {
            foreach ((ObjectKey key, byte[] bytes) in objects)
            {
                ObjectWriter writer = store.BeginWrite(key, bytes.Length);
                await writer.AppendAsync(bytes, either.Token);
                writer.Verify();
                commits.Add(CommitAndDisposeAsync(writer));
            }

            await Task.WhenAll(commits).WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"The disk refuses writes: {store.Statistics.WriteFailure}");
        }

        return BenchFiles.MegabytesPerSecond(objects, time.Elapsed);
    }

    private static async Task CommitAndDisposeAsync(ObjectWriter writer)
    {
        CommitResult result = await writer.CommitAsync();
        await writer.DisposeAsync();
        if (result != CommitResult.Committed)
        {
            throw new IOException($"The store did not take an object of the bench: {result}.");
        }
    }

    private static (ObjectKey Key, byte[] Bytes)[] Make(int seed, int count, int length) =>
        [.. Enumerable.Range(seed, count).Select(one => Make(one, length))];

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
            Console.WriteLine(
                JsonSerializer.Serialize(
                new { Processors = Environment.ProcessorCount, Runtime = Environment.Version.ToString(), Lines = lines },
                AdminServer.Json));
            return;
        }

        foreach (BenchLine line in lines)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{line.What,-78} {line.Store,9:F1} against {line.Plain,9:F1} {line.Unit,-7} = {line.Ratio:F2}   "
                + $"{line.AllocatedBytes} B allocated"));
        }
    }
}
