using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Documents;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Tests.Store;

public sealed class RecoveryTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<ObjectKey, byte[]> _objects = [];

    public void Dispose() => _directory.Dispose();

    private string Objects => Path.Combine(_directory.Path, "objects");

    [Fact]
    public async Task CommitRecord_Missing_AllObjectsAreFoundInTheSegments()
    {
        await FillAsync(60, 100_000);
        File.Delete(Path.Combine(Objects, "commit"));

        Assert.Equal(60, await CountRightAsync());
        await FillAsync(5, 50_000, firstSeed: 1000); // and it takes new ones
        Assert.Equal(65, await CountRightAsync());
    }

    [Fact]
    public async Task Tables_MissingOrDamaged_AreMadeAgainAndNothingIsLost()
    {
        await FillAsync(200, 100_000);
        string[] tables = Directory.GetFiles(Objects, "*.tab");
        Assert.NotEmpty(tables);
        File.Delete(tables[0]);
        foreach (string table in tables.Skip(1))
        {
            Flip(table, new FileInfo(table).Length / 2);
        }

        Assert.Equal(200, await CountRightAsync());
    }

    /// <summary>A start reads what is full by its table, and the last segment itself; nothing is written for that.</summary>
    [Fact]
    public async Task Segments_ThatAreFull_AreReadByTheirTablesWhichStayAsTheyAre()
    {
        await FillAsync(200, 100_000);
        string[] tables = Directory.GetFiles(Objects, "*.tab");
        Array.ForEach(tables, static table => File.SetLastWriteTimeUtc(table, DateTime.UnixEpoch));
        LogLines said = new();
        await using (FasterObjectStore store = await OpenAsync(logger: said))
        {
            Assert.Equal(new StoreRecovery(200, 4, 1, 0, 0, 0), store.Recovered);
            await store.RoomIsMadeAsync();
        }

        Assert.Equal(4, tables.Length);
        Assert.All(tables, static table => Assert.Equal(DateTime.UnixEpoch, File.GetLastWriteTimeUtc(table)));
        Assert.DoesNotContain(said.Levels, static level => level >= LogLevel.Warning);

        File.Delete(Path.Combine(Objects, SegmentSet.FileName(1)));
        await using FasterObjectStore damaged = await OpenAsync(logger: said);
        Assert.Single(said.Levels, static level => level == LogLevel.Warning);
    }

    /// <summary>Its list of parts is in a segment that is there.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task LongObject_OfWhichTheFirstSegmentIsMissing_IsAMiss(bool hasTables)
    {
        await FillAsync(15, 100_000);
        await FillAsync(1, 3_000_000, firstSeed: 500); // begins in the second page of the first segment and ends in the next one
        await FillAsync(40, 100_000, firstSeed: 600);
        string[] tables = Directory.GetFiles(Objects, "*.tab");
        Assert.Equal(2, tables.Length);
        if (!hasTables)
        {
            Array.ForEach(tables, File.Delete);
        }

        File.Delete(Path.Combine(Objects, SegmentSet.FileName(0)));

        ObjectKey key = KeyOfSeed(500, 3_000_000);
        await using FasterObjectStore without = await OpenAsync();
        Assert.Equal(1, without.Recovered.MissingSegments);
        Assert.False(without.Contains(key));
        Assert.Equal(await CountRightAsync(without), without.Recovered.Objects);
        Assert.Equal(0, without.Statistics.DamagedObjects);
    }

    [Fact]
    public async Task Segment_Missing_ItsObjectsAreMissesAndCounted()
    {
        await FillAsync(200, 100_000);
        string[] segments = [.. Directory.GetFiles(Objects, "*.seg").Order()];
        File.Delete(segments[1]);

        await using (FasterObjectStore store = await OpenAsync())
        {
            Assert.Equal(1, store.Recovered.MissingSegments);
            Assert.InRange(store.Recovered.LostObjects, 30, 50);
            Assert.InRange(await CountRightAsync(store), 140, 170);
        }

        await using FasterObjectStore again = await OpenAsync();
        Assert.Equal(0, again.Recovered.LostObjects); // they are counted once
    }

    [Fact]
    public async Task Segment_CutShort_TheRestIsRight()
    {
        await FillAsync(200, 100_000);
        string[] segments = [.. Directory.GetFiles(Objects, "*.seg").Order()];
        using (FileStream file = new(segments[1], FileMode.Open))
        {
            file.SetLength(file.Length / 2);
        }

        Assert.InRange(await CountRightAsync(), 160, 185);
    }

    [Fact]
    public async Task Log_KilledInTheMiddleOfAnEntry_TheTornEntryNeverCountsAsDurable()
    {
        await FillAsync(20, 20_000);
        StoreDisk disk = new();
        Assert.True(CommitRecord.TryRead(Objects, disk, out CommittedRange committed));
        long until = committed.UntilAddress;
        string segment = Path.Combine(Objects, SegmentSet.FileName((int)(until >> committed.SegmentSizeBits)));
        using (FileStream file = new(segment, FileMode.Open))
        {
            // the head of an entry that is stored, again, and not one byte of its payload: what a kill leaves of a write
            byte[] head = new byte[BlobLog.EntryOverheadBytes];
            file.Position = BlobLog.FirstAddress;
            file.ReadExactly(head);
            file.Position = until & ((1L << committed.SegmentSizeBits) - 1);
            file.Write(head);
        }

        await FillAsync(5, 20_000, firstSeed: 500); // its commits cover the page of the torn entry
        await using FasterObjectStore store = await OpenAsync();

        Assert.Empty((await store.VerifyAsync(null, isRepairing: false)).Damaged);
        Assert.Equal(0, store.Recovered.DamagedPages);
        Assert.Equal(25, await CountRightAsync(store));
    }

    [Fact]
    public async Task Store_OfAnotherVersion_IsMovedAsideAndBegunAnew()
    {
        await FillAsync(10, 10_000);
        string commit = Path.Combine(Objects, "commit");
        byte[] bytes = File.ReadAllBytes(commit);
        bytes[3] = bytes[4096 + 3] = (byte)'7';
        File.WriteAllBytes(commit, bytes);

        Assert.Equal(0, await CountRightAsync());

        Assert.Single(Directory.GetDirectories(_directory.Path, "objects.aside-*"));
        await FillAsync(5, 10_000, firstSeed: 50);
        Assert.Equal(5, await CountRightAsync());
    }

    [Fact]
    public async Task AnyByteOfAnyFile_Flipped_OpensAndServesNothingWrong()
    {
        await FillAsync(12, 40_000);
        await using (FasterObjectStore store = await OpenAsync())
        {
            await store.WriteAsync(KeyOfSeed(900, 600_000), Remember(900, 600_000));
            await store.Documents.PutAsync("manifest", new StoredDocument(TestObjects.Bytes(5, 700), default, DateTimeOffset.UnixEpoch));
            store.Pins.Put("boot", [.. _objects.Keys]);
        }

        string pristine = _directory.Path;
        string[] files = [.. Directory.GetFiles(pristine, "*", SearchOption.AllDirectories).Where(file => new FileInfo(file).Length > 0)];
        Random random = new(3);
        int least = int.MaxValue;
        for (int i = 0; i < 60; i++)
        {
            using TemporaryDirectory copy = new();
            foreach (string file in files)
            {
                string target = Path.Combine(copy.Path, Path.GetRelativePath(pristine, file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target);
            }

            string flipped = Path.Combine(copy.Path, Path.GetRelativePath(pristine, files[i % files.Length]));
            Flip(flipped, random.NextInt64(new FileInfo(flipped).Length));
            await using (FasterObjectStore store = await OpenAsync(copy.Path))
            {
                least = Math.Min(least, await CountRightAsync(store)); // throws on wrong bytes
                if (store.Documents.TryGet("manifest", out StoredDocument? document))
                {
                    Assert.Equal(TestObjects.Bytes(5, 700), document.Body.ToArray());
                }
            }
        }

        Assert.True(least >= 1, $"{least}");
    }

    private async Task FillAsync(int count, int length, int firstSeed = 0)
    {
        await using FasterObjectStore store = await OpenAsync();
        CommitResult[] results =
            await Task.WhenAll(Enumerable.Range(firstSeed, count)
            .Select(seed => store.WriteAsync(KeyOfSeed(seed, length), Remember(seed, length))));
        Assert.All(results, result => Assert.Equal(CommitResult.Committed, result));
        await store.Space.ProgressAsync(); // tables are written
    }

    private byte[] Remember(int seed, int length) => _objects[KeyOfSeed(seed, length)] = TestObjects.Bytes(seed, length);

    private static ObjectKey KeyOfSeed(int seed, int length) => TestObjects.KeyOf(TestObjects.Bytes(seed, length));

    private async Task<int> CountRightAsync()
    {
        await using FasterObjectStore store = await OpenAsync();
        return await CountRightAsync(store);
    }

    /// <summary>Objects that are there; fails on wrong bytes.</summary>
    private async Task<int> CountRightAsync(FasterObjectStore store)
    {
        int right = 0;
        foreach ((ObjectKey key, byte[] bytes) in _objects)
        {
            try
            {
                byte[]? found = await store.ReadAsync(key);
                if (found is not null)
                {
                    Assert.Equal(bytes, found);
                    right++;
                }
            }
            catch (ObjectDamagedException)
            {
                Assert.False(store.Contains(key)); // it is a miss from now on
            }
        }

        return right;
    }

    private Task<FasterObjectStore> OpenAsync(string? path = null, ILogger? logger = null) => FasterObjectStore.OpenAsync(
        new StoreOptions
        {
            Path = path ?? _directory.Path,
            QuotaBytes = StoreOptions.MinQuotaBytes,
            CommitInterval = TimeSpan.FromMilliseconds(1)
        }, logger: logger);

    private static void Flip(string path, long offset)
    {
        using FileStream file = new(path, FileMode.Open);
        file.Position = offset;
        int value = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(value ^ 0x10));
    }
}
