using Breakwater.CacheStore.Faster;

namespace Breakwater.CacheStore.Tests.Faster;

public sealed class FasterObjectStoreTests : ObjectStoreContract
{
    private readonly TemporaryDirectory _directory = new();

    protected override long MaxObjectBytes => 4 << 20;

    protected override async Task<IObjectStore> OpenAsync() => await FasterObjectStore.OpenAsync(
        new StoreOptions { Path = _directory.Path, MaxObjectBytes = MaxObjectBytes, CommitInterval = TimeSpan.FromMilliseconds(1) });

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Store_OpenedTwice_NamesTheProcessThatHasIt()
    {
        StoreInUseException refusal = await Assert.ThrowsAsync<StoreInUseException>(OpenAsync);

        Assert.Equal(Environment.ProcessId, refusal.ProcessId);
    }
}
