using Breakwater.Proxy.ZeroTouch;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.ZeroTouch;

/// <summary>Where a file of the boot folder really is, whatever links lead there.</summary>
public sealed class BootFolderTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly string _folder;

    public BootFolderTests()
    {
        _folder = _directory.Combine("boot");
        Directory.CreateDirectory(Path.Combine(_folder, "below"));
        File.WriteAllText(Path.Combine(_folder, "vmlinuz"), "kernel");
        File.WriteAllText(Path.Combine(_folder, "below", "initrd"), "initrd");
        Directory.CreateDirectory(_directory.Combine("boot-other"));
        File.WriteAllText(_directory.Combine("boot-other", "secret"), "secret");
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Find_OfAFileInTheFolder_IsThatFile()
    {
        Assert.Equal(Path.Combine(_folder, "vmlinuz"), Find("vmlinuz"));
        Assert.Equal(Path.Combine(_folder, "below", "initrd"), Find("below/initrd"));
        Assert.Null(Find("missing"));
        Assert.Null(Find("below"));         // a folder
    }

    [Fact]
    public void Find_OfLinksWithinTheFolder_IsWhatTheyLeadTo()
    {
        File.CreateSymbolicLink(Path.Combine(_folder, "one"), "two");
        File.CreateSymbolicLink(Path.Combine(_folder, "two"), "vmlinuz");
        Directory.CreateSymbolicLink(Path.Combine(_folder, "data"), "below");
        File.CreateSymbolicLink(Path.Combine(_folder, "three"), "data/initrd");

        Assert.Equal(Path.Combine(_folder, "vmlinuz"), Find("one"));
        Assert.Equal(Path.Combine(_folder, "below", "initrd"), Find("data/initrd"));
        Assert.Equal(Path.Combine(_folder, "below", "initrd"), Find("three"));
    }

    [Fact]
    public void Find_OfLinksThatLeadOut_IsNothing()
    {
        File.CreateSymbolicLink(Path.Combine(_folder, "out"), _directory.Combine("boot-other", "secret"));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "folder-out"), "../boot-other");
        File.CreateSymbolicLink(Path.Combine(_folder, "circle"), "circle");

        Assert.All(["out", "folder-out/secret", "circle", "../boot-other/secret"], name => Assert.Null(Find(name)));
    }

    [Fact]
    public void Find_WhereTheFolderItselfIsALink_IsTheFileBehindIt()
    {
        string link = _directory.Combine("link");
        Directory.CreateSymbolicLink(link, _folder);

        Assert.Equal(Path.Combine(_folder, "vmlinuz"), BootFolder.Find(link + "/", Path.Combine(link, "vmlinuz"))?.FullName);
        Assert.Null(BootFolder.Find(link, _directory.Combine("boot-other", "secret")));
    }

    private string? Find(string name) => BootFolder.Find(_folder, Path.Combine(_folder, name))?.FullName;
}
