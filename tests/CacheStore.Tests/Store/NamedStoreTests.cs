using Breakwater.CacheStore.Hashing;
using Breakwater.CacheStore.Scrubbing;
using Breakwater.CacheStore.Store;
using Breakwater.TestSupport;

namespace Breakwater.CacheStore.Tests.Store;

public sealed class NamedStoreTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private FasterObjectStore _store = null!;

    public async Task InitializeAsync() => _store = await OpenAsync();

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5_000)]
    [InlineData(1 << 20)]
    public async Task Slice_OfItsLength_IsReadBackAtOnceAndAfterRestart(int length)
    {
        byte[] bytes = TestObjects.Bytes(3, length);
        ObjectKey key = NamedKey.Of("a slice"u8);

        Assert.Equal(CommitResult.Committed, await _store.Named.Slices.WriteAsync(key, bytes));

        Assert.Equal(bytes, await _store.Named.Slices.ReadAsync(key));
        Assert.False(_store.Contains(key));
        await ReopenAsync();
        Assert.Equal(bytes, await _store.Named.Slices.ReadAsync(key));
    }

    /// <summary>A thread that answers both objects and slices has leases of both; the files of the one hold other bytes.</summary>
    [Fact]
    public async Task Lease_OfAnObject_IsNotUsedAgainForASlice()
    {
        byte[] body = TestObjects.Bytes(1, 3_000);
        byte[] slice = TestObjects.Bytes(2, 3_000);
        (ObjectKey objectKey, ObjectKey sliceKey) = (TestObjects.KeyOf(body), NamedKey.Of("a slice"u8));
        await _store.WriteAsync(objectKey, body);
        await _store.Named.Slices.WriteAsync(sliceKey, slice);
        await ReopenAsync();
        ObjectLease? lease = null;
        Assert.True(_store.TryReopen(objectKey, ref lease));
        lease.Dispose();

        Assert.True(_store.Named.Slices.TryReopen(sliceKey, ref lease));

        Assert.Equal(slice, await TestObjects.ReadAllAsync(lease));
        lease.Dispose();
    }

    [Theory]
    [InlineData(999)]
    [InlineData(1_001)]
    public async Task Slice_OfAnotherLengthThanPromised_IsNeverThere(int length)
    {
        ObjectKey key = NamedKey.Of("short or long"u8);
        await using (ObjectWriter writer = _store.Named.Slices.BeginWrite(key, 1_000))
        {
            await writer.AppendAsync(new byte[length]);
            Assert.False(writer.Verify());
            Assert.Equal(CommitResult.HashMismatch, await writer.CommitAsync());
        }

        await using (ObjectWriter unknown = _store.Named.Slices.BeginWrite(key, null))
        {
            await unknown.AppendAsync(new byte[length]);
            Assert.False(unknown.Verify());
        }

        Assert.False(_store.Named.Slices.Contains(key));
    }

    [Fact]
    public async Task Slice_DamagedOnDisk_IsFoundByTheScrubberAndForgotten()
    {
        ObjectKey key = NamedKey.Of("damaged"u8);
        await _store.Named.Slices.WriteAsync(key, TestObjects.Bytes(1, 700_000));
        await _store.Named.Slices.WriteAsync(NamedKey.Of("good"u8), TestObjects.Bytes(2, 700_000));
        await _store.DisposeAsync();
        string file = Directory.GetFiles(Path.Combine(_directory.Path, "named", "objects"), "*.seg").Single();
        await using (FileStream segment = File.OpenWrite(file))
        {
            segment.Position = 400_000;
            segment.Write("x"u8);
        }

        _store = await OpenAsync();
        ScrubReport report = await _store.VerifyAsync(null, isRepairing: true);

        Assert.Equal([key], report.Damaged);
        Assert.False(_store.Named.Slices.Contains(key));
        Assert.True(_store.Named.Slices.Contains(NamedKey.Of("good"u8)));
    }

    /// <summary>Whatever comes by name, an object stays: 150 MB of slices through a share of 38 MB.</summary>
    [Fact]
    public async Task Slices_BeyondTheirShare_EvictEachOtherAndNoObject()
    {
        List<ObjectKey> objects = [];
        for (int i = 0; i < 40; i++)
        {
            byte[] bytes = TestObjects.Bytes(i, 500_000);
            objects.Add(TestObjects.KeyOf(bytes));
            await _store.WriteAsync(objects[^1], bytes);
        }

        byte[] slice = TestObjects.Bytes(99, 1 << 20);
        for (int i = 0; i < 150; i++)
        {
            await _store.Named.Slices.WriteAsync(NamedKey.Of(BitConverter.GetBytes(i)), slice);
        }

        await Waiting.UntilAsync(() => _store.Named.UsedBytes <= _store.Named.QuotaBytes + (4 << 20));
        Assert.All(objects, key => Assert.True(_store.Contains(key)));
        Assert.Equal(0, _store.Statistics.EvictedObjects);
        Assert.True(_store.Named.Statistics!.EvictedObjects > 80);
        Assert.True(_store.Named.Slices.Contains(NamedKey.Of(BitConverter.GetBytes(149))));
    }

    /// <summary>Their log would be 16 MiB of memory for nothing.</summary>
    [Fact]
    public async Task Slices_InAStoreOfTheirOwn_HaveNoDocumentsBesideThem()
    {
        await _store.Named.Slices.WriteAsync(NamedKey.Of("a slice"u8), TestObjects.Bytes(1, 3_000));

        Assert.True(Directory.Exists(Path.Combine(_directory.Path, "documents")));
        Assert.False(Directory.Exists(Path.Combine(_directory.Path, NamedStore.DirectoryName, "documents")));
        Assert.Equal(0, _store.Named.Statistics!.Documents);
    }

    /// <summary>The version before reads all that this one writes for CernVM-FS: there is nothing of a name in it.</summary>
    [Fact]
    public async Task Store_NeverAskedForNames_HasNoDirectoryForThem()
    {
        await _store.WriteAsync(TestObjects.KeyOf(TestObjects.Bytes(1, 10)), TestObjects.Bytes(1, 10));
        await ReopenAsync();

        Assert.False(Directory.Exists(Path.Combine(_directory.Path, NamedStore.DirectoryName)));
        _store.Named.Heads.Put("a", "b"u8.ToArray());
        await ReopenAsync();
        Assert.True(_store.Named.Heads.TryGet("a", out _));
    }

    [Fact]
    public void Key_OfAName_HasATextThatLeadsNowhere()
    {
        ObjectKey key = NamedKey.Of("any"u8);

        Assert.EndsWith("-named", key.ToString(), StringComparison.Ordinal);
        Assert.False(ObjectKey.TryParse(key.ToString(), out _));
    }

    private Task<FasterObjectStore> OpenAsync()
    {
        StoreOptions options = new()
        {
            Path = _directory.Path,
            QuotaBytes = 128 << 20,
            MinFreeBytes = 0,
            CommitInterval = TimeSpan.FromMilliseconds(10),
        };
        options.ShareWithNamed(0.3);
        return FasterObjectStore.OpenAsync(options);
    }

    private async Task ReopenAsync()
    {
        await _store.DisposeAsync();
        _store = await OpenAsync();
    }
}
