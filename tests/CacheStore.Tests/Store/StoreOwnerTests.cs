using Breakwater.CacheStore.Disk;
using Breakwater.CacheStore.Store;

namespace Breakwater.CacheStore.Tests.Store;

public class StoreOwnerTests
{
    [Theory]
    [InlineData(4_000_000_000u, true, true)]
    [InlineData(4_000_000_000u, false, false)] // the system decides
    [InlineData(0u, true, false)]
    [InlineData(null, true, false)]
    public void Check_StoreOfAnotherUser_IsRefusedToRoot(uint? owner, bool isRoot, bool isRefused)
    {
        Exception? failure = Record.Exception(() => StoreOwner.Check("/srv/store", new OwnedDisk(owner), isRoot));

        Assert.Equal(isRefused, failure is UnauthorizedAccessException);
        Assert.Equal(isRefused, failure?.Message.Contains("sudo -u #4000000000 breakwater", StringComparison.Ordinal) == true);
    }

    [Theory]
    [InlineData(104u, "breakwater")]
    [InlineData(10u, null)]
    [InlineData(0u, "root")]
    public void NameOf_ANumber_IsThatOfItsLine(uint number, string? expected) =>
        Assert.Equal(expected, StoreOwner.NameOf(number, ["root:x:0:0:root:/root:/bin/sh", "", "short", "breakwater:x:104:10::/:/bin/sh"]));

    [Fact]
    public void OwnerOf_AnOwnDirectory_IsThisUser()
    {
        string folder = Directory.CreateTempSubdirectory("breakwater-test-").FullName;
        try
        {
            Assert.Equal(Environment.IsPrivilegedProcess, new StoreDisk().OwnerOf(folder) == 0);
            Assert.Null(new StoreDisk().OwnerOf(Path.Combine(folder, "missing")));
        }
        finally
        {
            Directory.Delete(folder);
        }
    }

    private sealed class OwnedDisk(uint? owner) : StoreDisk
    {
        public override uint? OwnerOf(string path) => owner;
    }
}
