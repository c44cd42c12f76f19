using System.CommandLine;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Commands.Store;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>The bench of the store, with few objects: each figure is that of one operation, and nothing stays on the disk.</summary>
public sealed class StoreBenchTests : IDisposable
{
    private static readonly BenchSizes s_few = new(1 << 20, 3, 1, 2, 2, [(4_096, 20), (20_000, 500)]);

    private readonly TemporaryDirectory _directory = new();
    private readonly Option<bool> _json = new("--json");
    private readonly string _store;
    private readonly string _settings;

    public StoreBenchTests()
    {
        _store = _directory.Combine("store");
        _settings = _directory.Combine("settings.json");
        File.WriteAllText(_settings, JsonSerializer.Serialize(new { Store = new { Path = _store } }));
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Bench_OfFewObjects_HasTheFiguresOfOneOperationEach()
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        CommandRun run = await RunAsync(s_few, "--json");
        double microseconds = (Environment.CpuUsage.TotalTime - before).TotalMicroseconds;

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        JsonElement said = JsonElement.Parse(run.Output);
        Assert.Equal(Environment.ProcessorCount, said.GetProperty("processors").GetInt32());
        BenchLine[] lines = [.. said.GetProperty("lines").EnumerateArray().Select(line => new BenchLine(
            line.GetProperty("what").GetString()!, line.GetProperty("store").GetDouble(), line.GetProperty("plain").GetDouble(),
            line.GetProperty("unit").GetString()!, line.GetProperty("ratio").GetDouble(), line.GetProperty("allocatedBytes").GetInt64()))];
        Assert.Equal(["MB/s", "MB/s", "MB/s", "µs CPU", "µs CPU"], lines.Select(line => line.Unit));
        Assert.All(lines, line => Assert.Equal(line.Store / line.Plain, line.Ratio, 1e-6 * line.Ratio));
        Assert.All(lines[..3], line => Assert.True(line is { Store: > 0, Plain: > 0, AllocatedBytes: 0 }, line.ToString()));
        foreach ((BenchLine line, (int bytes, int operations)) in lines[3..].Zip(s_few.Reads))
        {
            Assert.StartsWith($"hot read of {bytes:N0} B", line.What, StringComparison.Ordinal);
            Assert.True(line is { Store: > 0, Plain: > 0 }, line.ToString());
            Assert.True((line.Store + line.Plain) * operations <= microseconds, $"{line} in {microseconds} µs");
        }

        Assert.InRange(lines[3].AllocatedBytes, 0, 2); // what looking at the processor's time takes
        Assert.Equal(0, lines[4].AllocatedBytes);
    }

    [Fact]
    public async Task Bench_ForPeople_IsALineEachAndLeavesNothing()
    {
        foreach (string left in (string[])["bench-1", "bench-2147483647", "bench-x", "objects"])
        {
            Directory.CreateDirectory(Path.Combine(_store, left));
        }

        CommandRun run = await RunAsync(s_few with { SmallObjects = 1, WriteRounds = 1, ReadRounds = 1, Reads = [(4_096, 3)] });

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        string[] lines = run.Output.TrimEnd('\n').Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.All(lines[..3], line =>
            Assert.Matches(@"^write .{72} +\d+\.\d against +\d+\.\d MB/s    = \d+\.\d\d   0 B allocated$", line));
        Assert.StartsWith("hot read of 4,096 B, index lookup included", lines[3], StringComparison.Ordinal);
        Assert.Contains($" {double.MaxValue:F1} against {double.MaxValue:F1} µs CPU  = 1.00 ", lines[3],
            StringComparison.Ordinal); // the first round counts for nothing
        Assert.Equal(["bench-1", "bench-x", "objects"],
            Directory.EnumerateDirectories(_store).Select(Path.GetFileName).Order(StringComparer.Ordinal)); // 1 runs, the others did not
    }

    [Fact]
    public async Task Bench_OnADiskWithoutRoom_SaysHowMuchItNeeds()
    {
        CommandRun run = await RunAsync(BenchSizes.Ordinary with { RoomBytes = long.MaxValue });

        Assert.Equal((73, ""), (run.ExitCode, run.Output));
        Assert.StartsWith($"store bench needs 8,796,093,022,207 MiB at {_store}; ", run.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_store));
    }

    [Fact]
    public async Task Files_OfEachWay_AreWrittenWholeAndRemoved()
    {
        string path = _directory.Combine("files");
        var files = new BenchFiles(path);
        (ObjectKey Key, byte[] Bytes)[] right = [Object(1, 2_000), Object(2, 30_000)];

        Assert.All([await files.WriteEachAsync(right), await files.WriteEachDurablyAsync(right), await files.WriteOneAsync(right)],
            rate => Assert.True(rate > 0));

        (ObjectKey Key, byte[] Bytes)[] wrong = [right[0], (right[0].Key, right[1].Bytes)];
        await Assert.ThrowsAsync<InvalidOperationException>(() => files.WriteEachAsync(wrong));
        await Assert.ThrowsAsync<InvalidOperationException>(() => files.WriteEachDurablyAsync(wrong));
        Assert.False(Directory.Exists(path));
        Assert.Equal(0.016, BenchFiles.MegabytesPerSecond(right, TimeSpan.FromSeconds(2)), 1e-12);
    }

    [Fact]
    public async Task PlainReads_OfStoredObjects_AreTheirBytes()
    {
        await using FasterObjectStore store =
            await FasterObjectStore.OpenAsync(new StoreOptions { Path = _store, QuotaBytes = StoreOptions.MinQuotaBytes });
        (ObjectKey Key, byte[] Bytes)[] objects = [Object(1, 900), Object(2, 1_000), Object(3, 70_000)];
        foreach ((ObjectKey key, byte[] bytes) in objects)
        {
            await using ObjectWriter writer = store.BeginWrite(key, bytes.Length);
            await writer.AppendAsync(bytes);
            writer.Verify();
            Assert.Equal(CommitResult.Committed, await writer.CommitAsync());
        }

        byte[] buffer = new byte[100_000];
        using (var reads = new PlainReads(store, objects.Select(one => one.Key), buffer))
        {
            foreach (int i in (int[])[1, 0, 2, 1])
            {
                reads.Read(i);
                Assert.Equal(objects[i].Bytes, buffer[..objects[i].Bytes.Length]);
            }
        }

        Assert.Throws<InvalidOperationException>(() => new PlainReads(store, [Object(4, 10).Key], buffer));
    }

    private Task<CommandRun> RunAsync(BenchSizes sizes, params string[] more) =>
        CommandRun.OfAsync(StoreBench.Create(_json, sizes), ["--settings", _settings, .. more]);

    private static (ObjectKey Key, byte[] Bytes) Object(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return (new ObjectKey(ObjectHasher.Hash(DigestAlgorithm.Sha1, bytes), DigestAlgorithm.Sha1, 0), bytes);
    }
}
