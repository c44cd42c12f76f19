using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Tests.Exchanges;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Fetching;

/// <summary>A stored object as a stream.</summary>
public sealed class LeaseStreamTests(SliceStore store) : IClassFixture<SliceStore>
{
    private static readonly SyntheticObject s_item = new(100_000, 3);

    [Fact]
    public async Task Stream_OfAnObject_IsReadWholeInEitherWay()
    {
        await using Stream stream = await OpenAsync();
        Assert.Equal((true, true, false, 100_000L, 0L), (stream.CanRead, stream.CanSeek, stream.CanWrite, stream.Length, stream.Position));
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy);
        Assert.Equal(s_item.Bytes, copy.ToArray());
        Assert.Equal(100_000, stream.Position);
        Assert.Equal(0, await stream.ReadAsync(new byte[10]));

        Assert.Equal(0, stream.Seek(0, SeekOrigin.Begin));
        using var again = new MemoryStream();
        stream.CopyTo(again);
        Assert.Equal(s_item.Bytes, again.ToArray());
        Assert.Equal(0, stream.Read(new byte[10], 0, 10));
    }

    /// <summary>What is not in memory is read from disk, and its lease is given back at the end.</summary>
    [Fact]
    public async Task Stream_OfWhatIsOnDisk_IsReadWholeInEitherWay()
    {
        await (await OpenAsync()).DisposeAsync();
        await using var slices = new WatchedSlices(store.Store) { BeforeRead = () => Task.CompletedTask };
        Assert.True(slices.TryOpen(s_item.Key, out ObjectLease? lease));
        await using (var stream = new LeaseStream(lease))
        {
            using var copy = new MemoryStream();
            await stream.CopyToAsync(copy);
            Assert.Equal(s_item.Bytes, copy.ToArray());
            stream.Position = 0;
            using var again = new MemoryStream();
            stream.CopyTo(again);
            Assert.Equal(s_item.Bytes, again.ToArray());
            Assert.Equal(100_000, stream.Position);
        }

        Assert.Equal(0, slices.Leases);
    }

    [Fact]
    public async Task Seek_FromEachEnd_IsThere()
    {
        await using Stream stream = await OpenAsync();
        Assert.Equal(10, stream.Seek(10, SeekOrigin.Begin));
        Assert.Equal(s_item.Bytes[10], stream.ReadByte());
        Assert.Equal(16, stream.Seek(5, SeekOrigin.Current));
        byte[] two = new byte[2];
        Assert.Equal(2, await stream.ReadAsync(two));
        Assert.Equal(s_item.Bytes[16..18], two);
        Assert.Equal(99_999, stream.Seek(-1, SeekOrigin.End));
        Assert.Equal(1, stream.Read(new byte[10], 0, 10));

        Assert.Equal(0, stream.Read([], 0, 0));
        stream.Flush();
        Assert.Throws<NotSupportedException>(() => stream.SetLength(1));
        Assert.Throws<NotSupportedException>(() => stream.Write([1], 0, 1));
    }

    private async Task<Stream> OpenAsync()
    {
        if (!store.Store.Contains(s_item.Key))
        {
            await using ObjectWriter writer = store.Store.BeginWrite(s_item.Key, s_item.Bytes.Length);
            await writer.AppendAsync(s_item.Bytes);
            Assert.True(writer.Verify());
            await writer.CommitAsync();
        }

        Assert.True(store.Store.TryOpen(s_item.Key, out ObjectLease? lease));
        return new LeaseStream(lease);
    }
}
