using Breakwater.CacheStore.Pins;
using Breakwater.CacheStore.Store;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.CacheStore.Tests.Pins;

/// <summary>The files of pin sets change below the running store.</summary>
public sealed class PinSetFilesTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ObjectKey _key = TestObjects.KeyOf([1]);
    private FasterObjectStore _store = null!;

    public async Task InitializeAsync() =>
        _store = await FasterObjectStore.OpenAsync(new StoreOptions { Path = _directory.Path, QuotaBytes = 64 << 20, MinFreeBytes = 0 });

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    private string Pins => Path.Combine(_directory.Path, "pins");

    [Fact]
    public async Task File_DamagedOrGone_SetCountsUntilTheRestartAndCanBePutAgain()
    {
        _store.Pins.Put("damaged", [_key]);
        _store.Pins.Put("gone", [_key]);
        _store.Pins.Put("mended", [_key]);
        File.WriteAllBytes(Path.Combine(Pins, "damaged.pins"), [1, 2, 3]);
        File.WriteAllBytes(Path.Combine(Pins, "mended.pins"), []);
        File.Delete(Path.Combine(Pins, "gone.pins"));

        Assert.Equal(3, _store.Pins.List().Count);
        Assert.True(_store.Pins.IsPinned(_key));
        Assert.Equal(PinResult.Pinned, _store.Pins.Put("mended", [_key]));
        Assert.True(_store.Pins.Remove("gone"));
        await _store.DisposeAsync();
        await InitializeAsync();

        Assert.Equal(["mended"], _store.Pins.List().Select(static set => set.Name));
    }

    [Fact]
    public async Task Set_OfNothing_IsThereAfterARestart()
    {
        Assert.Equal(PinResult.Pinned, _store.Pins.Put("nothing", []));
        await _store.DisposeAsync();
        await InitializeAsync();

        Assert.Equal(["nothing"], _store.Pins.List().Select(static set => set.Name));
    }

    [Fact]
    public async Task Folder_Gone_SetsCanBeRemovedAndPut()
    {
        _store.Pins.Put("a", [_key]);
        _store.Pins.Put("b", [_key]);
        Directory.Delete(Pins, recursive: true);

        Assert.True(_store.Pins.Remove("a"));
        Assert.True(_store.Pins.IsPinned(_key));
        Assert.True(_store.Pins.Remove("b"));
        Assert.False(_store.Pins.IsPinned(_key));
        Assert.False(_store.Pins.Remove("b"));
        Assert.Equal(PinResult.Pinned, _store.Pins.Put("c", [_key]));
        await _store.DisposeAsync();
        await InitializeAsync();

        Assert.Equal(["c"], _store.Pins.List().Select(static set => set.Name));
    }

    [Fact]
    public void File_ReplacedByAFolder_SetCanBeRemoved()
    {
        _store.Pins.Put("a", [_key]);
        File.Delete(Path.Combine(Pins, "a.pins"));
        Directory.CreateDirectory(Path.Combine(Pins, "a.pins"));

        Assert.True(_store.Pins.Remove("a")); // nothing is left that a start would read
        Assert.False(_store.Pins.IsPinned(_key));
    }

    [Fact]
    public async Task Remove_RefusedByTheDisk_ChangesNothing()
    {
        await _store.DisposeAsync();
        HookedDisk disk = new();
        _store = await FasterObjectStore.OpenAsync(
            new StoreOptions { Path = _directory.Path, QuotaBytes = 64 << 20, MinFreeBytes = 0 }, disk, TimeProvider.System,
            NullLogger.Instance, CancellationToken.None);
        _store.Pins.Put("a", [_key]);
        disk.DeleteFault = new IOException("no");

        Assert.Throws<IOException>(() => _store.Pins.Remove("a"));
        Assert.True(_store.Pins.IsPinned(_key));
        disk.DeleteFault = null;
        Assert.True(_store.Pins.Remove("a"));
        Assert.False(_store.Pins.IsPinned(_key));
    }
}
