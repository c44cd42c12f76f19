using Breakwater.CacheStore.Store;

namespace Breakwater.CacheStore.Tests.Store;

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

    [Fact]
    public async Task Store_OpenedTwiceAfterItsLockFilesWereDeleted_IsRefused()
    {
        File.Delete(Path.Combine(_directory.Path, "lock"));
        File.Delete(Path.Combine(_directory.Path, "lock.pid"));

        await Assert.ThrowsAsync<StoreInUseException>(OpenAsync);
    }

    [Fact]
    public async Task Store_ItsDirectories_AreNotForOthers()
    {
        string path = Path.Combine(_directory.Path, "of", "its", "own");
        await using FasterObjectStore store = await FasterObjectStore.OpenAsync(new StoreOptions { Path = path });

        foreach (string directory in Directory.EnumerateDirectories(path, "*", SearchOption.AllDirectories).Append(path))
        {
            const UnixFileMode Others =
                UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute | UnixFileMode.GroupWrite;
            Assert.True(OperatingSystem.IsWindows() || (File.GetUnixFileMode(directory) & Others) == UnixFileMode.None, directory);
        }
    }

    /// <summary>
    /// What waits for a fetch is sent from the memory in which the object was staged, and goes on being so when the log has taken it.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(5_000)]
    [InlineData(700_000)]
    public async Task Mapped_OfAVerifiedObject_IsThereBeforeItIsDurableAndStays(int length)
    {
        byte[] bytes = TestObjects.Bytes(1, length);
        ObjectKey key = TestObjects.KeyOf(bytes);
        ObjectWriter writer = Store.BeginWrite(key, null);
        await writer.AppendAsync(bytes);
        Assert.True(writer.Verify());
        Assert.True(Store.TryOpen(key, out ObjectLease? lease));
        byte[] early = Mapped(lease);
        Assert.Equal(CommitResult.Committed, await writer.CommitAsync());
        await writer.DisposeAsync();
        byte[] late = Mapped(lease);
        lease.Dispose();

        Assert.Equal(bytes, early);
        Assert.Equal(bytes, late);
    }

    private static byte[] Mapped(ObjectLease lease)
    {
        byte[] bytes = new byte[lease.Length];
        for (int at = 0; at < bytes.Length;)
        {
            Assert.True(lease.TryGetMapped(at, out MappedRun run));
            System.Runtime.InteropServices.Marshal.Copy(run.Address, bytes, at, run.Length);
            at += run.Length;
        }

        return bytes;
    }
}
