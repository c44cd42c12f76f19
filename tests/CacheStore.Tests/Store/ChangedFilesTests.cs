using Breakwater.CacheStore.Documents;
using Breakwater.CacheStore.Log;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Tests.Store;

/// <summary>
/// Segment files that change below the running store: whatever is read is the object's bytes, or an error and then a miss.
/// </summary>
public sealed class ChangedFilesTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly AheadTime _time = new();

    public void Dispose() => _directory.Dispose();

    public static TheoryData<int> Lengths =>
        [1, 5_000, ObjectLease.MaxWholeBytes, ObjectLease.MaxWholeBytes + 1, PartSize.Full, PartSize.Full + 1, 3_000_000];

    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task Object_FlippedAfterItWasRead_IsNotReadAgain(int length)
    {
        await using FasterObjectStore store = await OpenAsync(new HookedDisk());
        (ObjectKey key, byte[] bytes) = await WriteAndReadAsync(store, length);
        Assert.True(IsPointedTo(store, key));

        Flip(bytes);

        await AssertLostAsync(store, key);
        Assert.Equal(1, store.Statistics.DamagedObjects);
        Assert.Equal(CommitResult.Committed, await store.WriteAsync(key, bytes));
        Assert.Equal(bytes, await store.ReadAsync(key));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task Object_FlippedWhileALeaseIsHeld_IsNotReadAgain(int length)
    {
        await using FasterObjectStore store = await OpenAsync(new HookedDisk());
        (ObjectKey key, byte[] bytes) = await WriteAndReadAsync(store, length);
        Assert.True(store.TryOpen(key, out ObjectLease? lease));
        using ObjectLease held = lease;
        Assert.Equal(bytes, await TestObjects.ReadAllAsync(held));

        Flip(bytes);

        await Assert.ThrowsAsync<ObjectDamagedException>(() => TestObjects.ReadAllAsync(held));
        Assert.False(store.Contains(key));
    }

    /// <summary>
    /// The object is acknowledged when it is durable: what happens to its file meanwhile, while the disk is slow, counts.
    /// </summary>
    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task Object_FlippedBeforeItIsDurable_IsNotRead(int length)
    {
        HookedDisk disk = new();
        await using FasterObjectStore store = await OpenAsync(disk);
        byte[] bytes = TestObjects.Bytes(1, length + 32)[..length];
        ObjectKey key = TestObjects.KeyOf(bytes);
        bool isFlipped = false;
        disk.BeforeSync = path =>
        {
            if (!isFlipped && path.EndsWith(".seg", StringComparison.Ordinal) && TryFind(bytes, out _))
            {
                isFlipped = true;
                Flip(bytes);
            }
        };

        Assert.Equal(CommitResult.Committed, await store.WriteAsync(key, bytes));

        Assert.True(isFlipped);
        if (TryFind(bytes, out _))
        {
            return; // the page was not full: the log has written it once more, and mended the flip by that
        }

        await AssertLostAsync(store, key);
    }

    /// <summary>
    /// A change in the very moment in which the store itself writes to that segment cannot be told from its own: nothing of it is copied
    /// from a short object, and the rest is pointed to no longer than rot that nobody sees.
    /// </summary>
    [Theory]
    [InlineData(5_000, 6)]
    [InlineData(200_000, 6)]
    [InlineData(1_500_000, 66)]
    public async Task Object_FlippedWhileTheStoreWritesToItsSegment_IsFoundAfterALimitedTime(int length, int seconds)
    {
        HookedDisk disk = new();
        await using FasterObjectStore store = await OpenAsync(disk);
        (ObjectKey key, byte[] bytes) = await WriteAndReadAsync(store, length);
        await WriteAndReadAsync(store, 1_000_000, seed: 98); // its page is full: it is not written again
        Assert.True(IsPointedTo(store, key));
        string segment = PlaceOf(bytes).Path;
        int flips = 0;
        disk.BeforeWrite = path =>
        {
            if (path == segment && Interlocked.Exchange(ref flips, 1) == 0)
            {
                Flip(bytes);
            }
        };
        byte[] other = TestObjects.Bytes(99, 300_000);
        Assert.Equal(CommitResult.Committed, await store.WriteAsync(TestObjects.KeyOf(other), other));
        Assert.Equal(1, flips);
        Assert.False(TryFind(bytes, out _));

        while (_time.Ahead < TimeSpan.FromSeconds(seconds))
        {
            _time.Ahead += TimeSpan.FromSeconds(1);
            IsPointedTo(store, key); // a generation ends when somebody looks
        }

        await AssertLostAsync(store, key);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task Segment_CutToAnyLength_ObjectIsAMiss(int length)
    {
        await using FasterObjectStore store = await OpenAsync(new HookedDisk());
        foreach (int keptPercent in (int[])[99, 50, 0])
        {
            (ObjectKey key, byte[] bytes) = await WriteAndReadAsync(store, length, seed: length + keptPercent);
            Assert.True(IsPointedTo(store, key));
            (string path, long at) = PlaceOf(bytes);
            using (SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
            {
                RandomAccess.SetLength(file, at + ((long)LastPartBytes(bytes) * keptPercent / 100));
            }

            StoreFiles.OutlastLook();

            await AssertLostAsync(store, key);
        }
    }

    /// <summary>The system took pages out of memory and read other bytes back: the file's times tell nothing.</summary>
    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task Object_RottenUnseen_IsFoundWhenItComesFromTheDisk(int length)
    {
        HookedDisk disk = new() { HidesChanges = true };
        await using FasterObjectStore store = await OpenAsync(disk);
        (ObjectKey key, byte[] bytes) = await WriteAndReadAsync(store, length);
        Assert.True(IsPointedTo(store, key));

        Flip(bytes);
        disk.IsCold = true;

        await AssertLostAsync(store, key, isPointedTo: true);
    }

    [Theory]
    [InlineData(5_000, 4, 6)]
    [InlineData(200_000, 4, 6)]
    [InlineData(3_000_000, 50, 66)]
    public async Task Object_RottenUnseenInMemory_IsPointedToForALimitedTime(int length, int before, int after)
    {
        HookedDisk disk = new() { HidesChanges = true };
        await using FasterObjectStore store = await OpenAsync(disk);
        (ObjectKey key, byte[] bytes) = await WriteAndReadAsync(store, length);
        Flip(bytes);

        AgeTo(before);
        Assert.True(IsPointedTo(store, key));
        AgeTo(after);

        await AssertLostAsync(store, key);

        // A generation ends when somebody looks.
        void AgeTo(int seconds)
        {
            while (_time.Ahead < TimeSpan.FromSeconds(seconds))
            {
                _time.Ahead += TimeSpan.FromSeconds(1);
                IsPointedTo(store, key);
            }
        }
    }

    [Fact]
    public async Task Segment_WrittenByTheStoreItself_IsNotCheckedAgain()
    {
        await using FasterObjectStore store = await OpenAsync(new HookedDisk());
        (ObjectKey key, byte[] _) = await WriteAndReadAsync(store, 600_000);
        for (int i = 0; i < 5; i++)
        {
            await WriteAndReadAsync(store, 10_000, seed: 100 + i); // into the same segment
            Assert.True(IsPointedTo(store, key));
        }

        Assert.Single(Directory.GetFiles(Path.Combine(_directory.Path, "objects"), "*.seg"));
    }

    [Fact]
    public async Task Segment_ThatManyAskForAtOnce_IsLookedAtOnceForSeveralOfThem()
    {
        HookedDisk disk = new();
        await using FasterObjectStore store = await OpenAsync(disk);
        (ObjectKey key, byte[] _) = await WriteAndReadAsync(store, 600_000);
        int before = disk.Looks;
        for (int i = 0; i < 10_000; i++)
        {
            Assert.True(IsPointedTo(store, key));
        }

        Assert.InRange(disk.Looks - before, 1, 9_999);
    }

    [Fact]
    public async Task Segment_WhoseFileIsTouchedRenamedOrDeleted_IsReadOn()
    {
        await using FasterObjectStore store = await OpenAsync(new HookedDisk());
        (ObjectKey key, byte[] bytes) = await WriteAndReadAsync(store, 600_000);
        string path = PlaceOf(bytes).Path;

        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch);
        Assert.Equal(bytes, await store.ReadAsync(key));
        File.Move(path, path + ".elsewhere");
        Assert.Equal(bytes, await store.ReadAsync(key));
        File.Delete(path + ".elsewhere");
        Assert.Equal(bytes, await store.ReadAsync(key));
        File.WriteAllBytes(path, new byte[1 << 20]); // another file in its place
        Assert.Equal(bytes, await store.ReadAsync(key));
        Assert.Equal(0, store.Statistics.DamagedObjects);
    }

    [Fact]
    public async Task Flipped_WhileItIsReadAllTheTime_NoWrongByteIsCopied()
    {
        await using FasterObjectStore store = await OpenAsync(new HookedDisk());
        byte[][] objects = [.. Enumerable.Range(0, 30).Select(i => TestObjects.Bytes(i, 1_000 + (i * 2_000)))]; // all short
        foreach (byte[] bytes in objects)
        {
            await store.WriteAsync(TestObjects.KeyOf(bytes), bytes);
        }

        using CancellationTokenSource end = new();
        Task[] readers = [.. Enumerable.Range(0, 2).Select(seed => Task.Run(() =>
        {
            Random random = new(seed);
            while (!end.IsCancellationRequested)
            {
                byte[] bytes = objects[random.Next(objects.Length)];
                if (store.TryOpen(TestObjects.KeyOf(bytes), out ObjectLease? lease))
                {
                    using (lease)
                    {
                        try
                        {
                            Assert.True(!lease.TryReadWhole(out ReadOnlySpan<byte> read) || read.SequenceEqual(bytes));
                        }
                        catch (ObjectDamagedException)
                        {
                            // seen
                        }
                    }
                }
            }
        }))];
        for (int i = 0; i < objects.Length; i++)
        {
            Flip(objects[i]);
            await Waiting.UntilAsync(() => !store.Contains(TestObjects.KeyOf(objects[i])));
        }

        await end.CancelAsync();
        await Task.WhenAll(readers);
        Assert.Equal(objects.Length, store.Statistics.DamagedObjects);
    }

    [Theory]
    [InlineData(1_000, true)] // answered from memory
    [InlineData(200_000, false)]
    public async Task Document_FlippedWhileTheStoreIsOpen_IsRightOrAMiss(int length, bool isThere)
    {
        await using FasterObjectStore store = await OpenAsync(new HookedDisk());
        byte[] bytes = TestObjects.Bytes(1, length);
        await store.Documents.PutAsync("a", new StoredDocument(bytes, default, DateTimeOffset.UnixEpoch));
        string path = Assert.Single(Directory.GetFiles(Path.Combine(_directory.Path, "documents"), "*.seg"));
        byte[] all = File.ReadAllBytes(path);
        using (SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            RandomAccess.Write(file, [(byte)(bytes[^1] ^ 1)], all.AsSpan().IndexOf(bytes) + length - 1);
        }

        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(isThere, store.Documents.TryGet("a", out StoredDocument? found));
            Assert.True(!isThere || found!.Body.Span.SequenceEqual(bytes));
        }
    }

    private async Task<(ObjectKey Key, byte[] Bytes)> WriteAndReadAsync(FasterObjectStore store, int length, int seed = 1)
    {
        byte[] bytes = TestObjects.Bytes(seed, length + 32)[..length]; // 32: the shortest one is found by what follows it
        ObjectKey key = TestObjects.KeyOf(bytes);
        Assert.Equal(CommitResult.Committed, await store.WriteAsync(key, bytes));
        Assert.True(store.TryOpen(key, out ObjectLease? lease));
        using (lease)
        {
            for (int offset = 0; offset < length;)
            {
                offset += await lease.ReadAsync(offset, new byte[PartSize.Full]);
            }

            Assert.Equal(bytes, await TestObjects.ReadAllAsync(lease));
        }

        return (key, bytes);
    }

    /// <summary>Would it be sent from its file, unread?</summary>
    private static bool IsPointedTo(FasterObjectStore store, ObjectKey key)
    {
        Assert.True(store.TryOpen(key, out ObjectLease? lease));
        using (lease)
        {
            for (long offset = 0; offset < lease.Length;)
            {
                bool isMapped = lease.TryGetMapped(offset, out MappedRun run);
                Assert.Equal(isMapped, lease.TryGetFileRange(offset, out _));
                if (!isMapped)
                {
                    return false;
                }

                offset += run.Length;
            }
        }

        return true;
    }

    private static async Task AssertLostAsync(FasterObjectStore store, ObjectKey key, bool isPointedTo = false)
    {
        Assert.Equal(isPointedTo, IsPointedTo(store, key));
        await Assert.ThrowsAsync<ObjectDamagedException>(() => store.ReadAsync(key));
        Assert.False(store.Contains(key));
    }

    private void Flip(byte[] bytes)
    {
        (string path, long at) = PlaceOf(bytes);
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        RandomAccess.Write(file, [(byte)(bytes[^1] ^ 1)], at + LastPartBytes(bytes) - 1);
        StoreFiles.OutlastLook();
    }

    private static int LastPartBytes(byte[] bytes) => ((bytes.Length - 1) % PartSize.Full) + 1;

    /// <summary>The segment that holds an object's last part, and where that begins in the file.</summary>
    private (string Path, long At) PlaceOf(byte[] bytes) =>
        TryFind(bytes, out (string Path, long At) place) ? place : throw new InvalidOperationException("The object is in no segment.");

    private bool TryFind(byte[] bytes, out (string Path, long At) place)
    {
        ReadOnlyMemory<byte> last = bytes.AsMemory(bytes.Length - LastPartBytes(bytes));
        foreach (string path in Directory.GetFiles(Path.Combine(_directory.Path, "objects"), "*.seg"))
        {
            byte[] all = File.ReadAllBytes(path);
            for (int at = 0; (at = IndexAfter(all, at, "BWE1"u8)) >= 0; at++)
            {
                EntryHeader header = at + EntryHeader.SizeBytes <= all.Length ? EntryHeader.Read(all.AsSpan(at)) : default;
                int payload = at + EntryHeader.SizeBytes;
                if (header.IsValid && header.PayloadLength == last.Length && payload + header.PayloadLength <= all.Length
                    && all.AsSpan(payload, header.PayloadLength).SequenceEqual(last.Span))
                {
                    place = (path, payload);
                    return true;
                }
            }
        }

        place = default;
        return false;
    }

    private static int IndexAfter(byte[] all, int from, ReadOnlySpan<byte> pattern)
    {
        int at = all.AsSpan(from).IndexOf(pattern);
        return at < 0 ? -1 : from + at;
    }

    private Task<FasterObjectStore> OpenAsync(HookedDisk disk) => FasterObjectStore.OpenAsync(
        new StoreOptions { Path = _directory.Path, QuotaBytes = 64 << 20, MinFreeBytes = 0, CommitInterval = TimeSpan.FromMilliseconds(1) },
        disk, _time, NullLogger.Instance, CancellationToken.None);
}
