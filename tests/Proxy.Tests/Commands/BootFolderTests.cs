using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.Proxy.Commands.Lab;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>What machines load, and what the commands around a mount and a machine start or miss.</summary>
public sealed class BootFolderTests : IDisposable
{
    private const string Key = "-----BEGIN PUBLIC KEY-----\nMIIB\nAQ==\n-----END PUBLIC KEY-----\n";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("breakwater-test-");

    [Fact]
    public void Fill_Twice_HasTheNewImageAndTheScript()
    {
        string image = Path.Combine(_directory.FullName, "image");
        string folder = Path.Combine(_directory.FullName, "boot");
        Directory.CreateDirectory(image);
        Assert.Contains("no vmlinuz and no initrd.img", BootFolder.Missing(image), StringComparison.Ordinal);
        foreach (string text in new[] { "a longer first", "second" })
        {
            File.WriteAllText(Path.Combine(image, "vmlinuz"), text);
            File.WriteAllText(Path.Combine(image, "initrd.img"), text + " initrd");
            Assert.Null(BootFolder.Missing(image));
            BootFolder.Fill(folder, image, "script of " + text);
            Assert.Equal(text, File.ReadAllText(Path.Combine(folder, "vmlinuz")));
            Assert.Equal(text + " initrd", File.ReadAllText(Path.Combine(folder, "initrd.img")));
            Assert.Equal("script of " + text, File.ReadAllText(Path.Combine(folder, "boot.ipxe")));
        }

        Assert.Equal(3, Directory.GetFiles(folder).Length);
    }

    [Fact]
    public void ScriptFor_ALab_NamesItsSystemItsProxyAndItsKey()
    {
        string script = BootFolder.ScriptFor("os.lab.example", "10.0.0.5:3128", Key);
        Assert.StartsWith("#!ipxe\n", script, StringComparison.Ordinal);
        Assert.Contains(
            " cvmfs_branch=os.lab.example cvmfs_server=10.0.0.5:3128 cvmfs_http_proxy=DIRECT cvmfs_tag=HEAD "
                + "cvmfs_key=MIIBAQ== || goto failed\n",
            script,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_WithoutEmulatorAndImage_NamesBoth()
    {
        IReadOnlyList<string> missing = DemoMachine.Missing(_directory.FullName, _ => null);
        Assert.Equal(2, missing.Count);
        Assert.Contains("apt-get install", missing[0], StringComparison.Ordinal);
        Assert.Contains("build.sh --user-data-key", missing[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Find_OfAProgram_IsInTheFirstDirectoryThatHasIt()
    {
        string second = Path.Combine(_directory.FullName, "second");
        Directory.CreateDirectory(second);
        File.WriteAllText(Path.Combine(second, "tool"), "");
        Assert.Equal(Path.Combine(second, "tool"), ProgramPath.Find("tool", [_directory.FullName, second]));
        Assert.Null(ProgramPath.Find("tool", [_directory.FullName]));
    }

    [Fact]
    public void Arguments_OfAMount_AskTheProxyOfThisMachineWithItsKeys()
    {
        Assert.Equal(
            ["a.b", "/mnt", "--server", "127.0.0.1:4000", "--cache", "/c", "--keys", "/keys", "--tag", "v1"],
            MountCommand.Arguments(4000, "/keys", "a.b", "/mnt", "/c", null, "v1", null));
        Assert.Equal(
            ["a.b", "/mnt", "--server", "s1", "--cache", "/c", "--root-hash", "00"],
            MountCommand.Arguments(4000, "/keys", "a.b", "/mnt", "/c", "s1", null, "00"));
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
