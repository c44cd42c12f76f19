using System.Runtime.InteropServices;
using Breakwater.CacheStore.Index;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Quotas;
using Breakwater.TestSupport;

namespace Breakwater.CacheStore.Tests.Index;

public sealed class ObjectIndexTests
{
    /// <summary>Of 48 bytes in 16 MiB of memory: a quarter of them is on the disk.</summary>
    private const int MoreThanMemory = 450_000;

    [Theory]
    [InlineData(0, 0, false, 0, 0)]
    [InlineData(0, 0, false, 0, StoreShares.Most)]
    [InlineData(4, 1, true, 1, 1)]
    [InlineData(((1L << 31) - 1) << 28, IndexEntry.LengthLimit - 1, true, (1u << 23) - 1, 0)]
    [InlineData((1L << 59) - 4, IndexEntry.LengthLimit - 1, true, (1u << 23) - 1, StoreShares.Most)]
    public void Entry_Extremes_AreKept(long address, long length, bool isSealed, uint ordinal, int owner)
    {
        IndexEntry entry = new(address, length, isSealed, ordinal, owner);

        Assert.Equal(
            (address, length, isSealed, ordinal, owner), (entry.Address, entry.Length, entry.IsSealed, entry.Ordinal, entry.Owner));
    }

    /// <summary>Of less than 16 MiB it has those.</summary>
    [Theory]
    [InlineData(1L << 30, false)]
    [InlineData(1, true)]
    public void Load_MoreRecordsThanMemoryHolds_FindsAndCountsAll(long memoryBytes, bool isSpilled)
    {
        using TemporaryDirectory directory = new();
        StoreShares shares = new();
        shares.Replace([new StoreShare("all", null)]);
        using ObjectIndex index = new(MoreThanMemory, 0, memoryBytes, Path.Combine(directory.Path, "spill"), shares);
        using (IndexLoader loader = index.BeginLoad())
        {
            Load(loader, 0, MoreThanMemory, length: 1);
            Load(loader, 0, 1000, length: 2); // the same keys again: on the disk by now, when memory is short
            for (int i = 1000; i < 2000; i++)
            {
                loader.Remove(KeyOf(i));
            }
        }

        Assert.Equal(isSpilled, Directory.GetFiles(directory.Path).Sum(static file => new FileInfo(file).Length) > 0);
        Assert.Equal(MoreThanMemory - 1000, index.Count);
        Assert.Equal(MoreThanMemory, Assert.Single(shares.List()).Bytes); // a thousand are gone, a thousand are twice as long
        for (int i = 0; i < MoreThanMemory; i += 97)
        {
            bool isRemoved = i is >= 1000 and < 2000;
            Assert.Equal(!isRemoved, index.TryGet(KeyOf(i), out IndexEntry entry));
            Assert.Equal(isRemoved ? (0, 0) : (4L * i, i < 1000 ? 2 : 1), (entry.Address, entry.Length));
        }
    }

    [Fact]
    public void DropPast_OfFewRecords_LeavesThemAsTheyAre()
    {
        using TemporaryDirectory directory = new();
        using ObjectIndex index = new(1000, 0, 1L << 24, Path.Combine(directory.Path, "spill"));
        long empty = index.RecordedBytes;
        index.DropPast();
        Assert.Equal(empty, index.RecordedBytes);
        index.Set(KeyOf(1), new IndexEntry(4, 1, isSealed: false, 0));
        Assert.True(index.Remove(KeyOf(1), -1));
        long recorded = index.RecordedBytes;
        index.DropPast();
        Assert.Equal(recorded, index.RecordedBytes);
    }

    /// <summary>64 bytes for seven objects, in powers of two from a mebibyte to a gibibyte.</summary>
    [Theory]
    [InlineData(0, 1L << 20)]
    [InlineData(7 << 14, 1L << 20)]
    [InlineData((7 << 14) + 7, 1L << 21)]
    [InlineData(7 << 15, 1L << 21)]
    [InlineData(1L << 40, 1L << 30)]
    public void Table_OfSoManyObjects_HasASlotForEach(long objects, long bytes) => Assert.Equal(bytes, ObjectIndex.TableBytes(objects));

    /// <summary>Objects come and go for as long as the store runs: the index must not keep a record of each that ever was.</summary>
    [Fact]
    public async Task DropPast_ObjectsThatComeAndGo_IsBoundedAndLosesNothing()
    {
        const int Living = 20_000;
        const int Passing = 3_000_000;
        using TemporaryDirectory directory = new();
        using ObjectIndex index = new(Living, 0, 1L << 30, Path.Combine(directory.Path, "spill"));
        for (int i = 0; i < Living; i++)
        {
            index.Set(KeyOf(i), new IndexEntry(4L * i, 1, isSealed: false, 0));
        }

        using CancellationTokenSource over = new();
        Task reader = Task.Run(() =>
        {
            for (int i = 0; !over.IsCancellationRequested; i = (i + 7) % Living)
            {
                Assert.True(index.TryGet(KeyOf(i), out IndexEntry entry));
                Assert.Equal(4L * i, entry.Address);
            }
        });
        long most = 0;
        for (int i = 0; i < Passing; i++)
        {
            ObjectKey key = KeyOf(Living + (i % 50_000));
            index.Set(key, new IndexEntry(4, 2, isSealed: false, 0));
            if (i % 3 == 0)
            {
                index.Set(key, new IndexEntry(8, 2, isSealed: false, 0), replaced: new IndexEntry(4, 2, isSealed: false, 0));
            }

            Assert.True(index.Remove(key, -1));
            if (i % 10_000 == 0)
            {
                index.DropPast();
                most = Math.Max(most, index.RecordedBytes);
            }
        }

        await over.CancelAsync();
        await reader;
        index.DropPast();
        Assert.Equal(Living, index.Count);
        Assert.InRange(most, 0, 48L << 20);
        Assert.All(Enumerable.Range(0, Living), i => Assert.True(index.TryGet(KeyOf(i), out IndexEntry entry) && entry.Address == 4L * i));
        Assert.All(Enumerable.Range(Living, 50_000), i => Assert.False(index.TryGet(KeyOf(i), out _)));
    }

    /// <summary>Whoever filled the index sleeps from then on: what others drop does not wait for it.</summary>
    [Fact]
    public async Task DropPast_TheLoadersThreadSleeps_IsDone()
    {
        using TemporaryDirectory directory = new();
        using ObjectIndex index = new(MoreThanMemory, 0, 1L << 30, Path.Combine(directory.Path, "spill"));
        using ManualResetEventSlim isLoaded = new();
        using ManualResetEventSlim isOver = new();
        Thread loading = new(() =>
        {
            using (IndexLoader loader = index.BeginLoad())
            {
                Load(loader, 0, 1000, length: 1);
            }

            isLoaded.Set();
            isOver.Wait(Waiting.Hang);
        });
        loading.Start();
        Assert.True(isLoaded.Wait(Waiting.Hang));

        await Task.Run(() =>
        {
            for (int i = 0; i < 800_000; i++)
            {
                index.Set(KeyOf(0), new IndexEntry(4, 1, isSealed: false, 0), replaced: new IndexEntry(4, 1, isSealed: false, 0));
                index.Set(KeyOf(1 + i), new IndexEntry(4, 1, isSealed: false, 0), replaced: new IndexEntry(4, 1, isSealed: false, 0));
                index.Remove(KeyOf(1 + i), -1);
            }

            index.DropPast();
        }).InTimeAsync();

        isOver.Set();
        loading.Join();
        Assert.InRange(index.RecordedBytes, 0, 33 << 20);
    }

    [Fact]
    public void Set_MoveOfARecordOnTheDisk_IsNotCountedTwice()
    {
        using TemporaryDirectory directory = new();
        using ObjectIndex index = new(MoreThanMemory, 0, 1 << 24, Path.Combine(directory.Path, "spill"));
        using (IndexLoader loader = index.BeginLoad())
        {
            Load(loader, 0, MoreThanMemory, length: 1);
        }

        index.Set(KeyOf(5), new IndexEntry(400, 9, isSealed: false, 0), replaced: new IndexEntry(20, 1, isSealed: false, 0));

        Assert.True(index.TryGet(KeyOf(5), out IndexEntry moved));
        Assert.Equal((400, 9, (long)MoreThanMemory), (moved.Address, moved.Length, index.Count));
    }

    private static void Load(IndexLoader loader, int first, int end, long length)
    {
        TableRow[] rows = new TableRow[IndexLoader.BatchKeys];
        for (; first < end; first += rows.Length)
        {
            int count = Math.Min(rows.Length, end - first);
            for (int i = 0; i < count; i++)
            {
                rows[i] = new TableRow(KeyOf(first + i), length, 0, EntryKind.Whole, default);
            }

            loader.Touch(rows.AsSpan(0, count));
            for (int i = 0; i < count; i++)
            {
                loader.Set(rows[i].Key, new IndexEntry(4L * (first + i), length, isSealed: false, 0, owner: 1));
            }
        }
    }

    private static ObjectKey KeyOf(int i)
    {
        Span<byte> digest = stackalloc byte[ObjectKey.DigestSizeBytes];
        digest.Clear();
        ulong spread = (ulong)i * 0x9E3779B97F4A7C15; // digests are uniform
        MemoryMarshal.Write(digest, spread);
        MemoryMarshal.Write(digest[8..], i);
        return new ObjectKey(digest, DigestAlgorithm.Sha1, 0);
    }
}
