using Breakwater.CacheStore;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Fetching;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Fetching;

public sealed class ObjectReaderTests
{
    [Theory]
    [InlineData(1 << 20, true)]
    [InlineData((1 << 20) + 1, false)]
    public async Task ReadStored_OfAsMuchAsIsReadIntoMemory_HasIt(int bytes, bool isRead)
    {
        using TemporaryDirectory directory = new();
        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(
            new StoreOptions { Path = directory.Path, QuotaBytes = StoreOptions.MinQuotaBytes, MinFreeBytes = 0 });
        SyntheticObject item = new(bytes);
        await using (ObjectWriter writer = store.BeginWrite(item.Key, bytes))
        {
            await writer.AppendAsync(item.Bytes);
            Assert.True(writer.Verify());
            Assert.Equal(CommitResult.Committed, await writer.CommitAsync());
        }

        Assert.Equal(isRead ? item.Bytes : null, new ObjectReader(store, null!).ReadStored(item.Key));
    }
}
