using Breakwater.Proxy.Observability.AccessLogs;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Observability;

public sealed class RotatedFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public void Append_PastItsLength_KeepsTheNewestFiles()
    {
        string path = _directory.Combine("logs", "access.log");
        using (var file = new RotatedFile(path, 10, 2))
        {
            foreach (string line in new[] { "one.....\n", "two.....\n", "three...\n", "four....\n" })
            {
                file.Append(System.Text.Encoding.ASCII.GetBytes(line));
            }
        }

        Assert.Equal("four....\n", File.ReadAllText(path));
        Assert.Equal("three...\n", File.ReadAllText(path + ".1"));
        Assert.Equal("two.....\n", File.ReadAllText(path + ".2"));
        Assert.False(File.Exists(path + ".3"));
    }

    [Theory]
    [InlineData(0, "")]
    [InlineData(1, "3")]
    [InlineData(2, "3 2")]
    [InlineData(3, "3 2 1")]
    [InlineData(9, "3 2 1")]
    public void Append_PastItsLength_KeepsSoManyOldFiles(int keep, string kept)
    {
        string path = _directory.Combine("access.log");
        using (var file = new RotatedFile(path, 1, keep))
        {
            for (int i = 1; i <= 4; i++)
            {
                file.Append([(byte)('0' + i)]);
            }
        }

        Assert.Equal("4", File.ReadAllText(path));
        Assert.Equal(kept, string.Join(' ', Enumerable.Range(1, 9).Select(i => $"{path}.{i}").Where(File.Exists).Select(File.ReadAllText)));
    }

    /// <summary>Ten bytes fit in ten; what is longer than all of them has a file of its own.</summary>
    [Fact]
    public void Append_ToItsLength_IsNotPastIt()
    {
        string path = _directory.Combine("access.log");
        using var file = new RotatedFile(path, 10, 2);
        file.Append("123456789012"u8);
        Assert.False(File.Exists(path + ".1"));
        file.Append("1234"u8);
        file.Append("567890"u8);
        Assert.Equal(("1234567890", "123456789012"), (File.ReadAllText(path), File.ReadAllText(path + ".1")));
        file.Append("x"u8);
        Assert.Equal(("x", "1234567890"), (File.ReadAllText(path), File.ReadAllText(path + ".1")));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(path));
        }
    }

    [Fact]
    public void Append_BesideAnotherWriter_EachLineIsWhole()
    {
        string path = _directory.Combine("access.log");
        using var one = new RotatedFile(path, 1000, 2);
        using var other = new RotatedFile(path, 1000, 2);
        one.Append("one\n"u8);
        other.Append("two\n"u8);
        one.Append("three\n"u8);

        // copytruncate
        using (FileStream cut = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            cut.SetLength(0);
        }

        other.Append("four\n"u8);
        one.Append("five\n"u8);

        Assert.Equal("four\nfive\n", File.ReadAllText(path));
    }

    [Fact]
    public void Prepare_PlaceThatCannotBe_SaysSoBeforeTheFirstLine()
    {
        File.WriteAllText(_directory.Combine("file"), "");
        using var file = new RotatedFile(_directory.Combine("file", "access.log"), 1000, 2);

        Assert.ThrowsAny<IOException>(file.Prepare);
    }

    [Fact]
    public void Append_AfterSomebodyMovedIt_MakesItAnew()
    {
        string path = _directory.Combine("access.log");
        using var file = new RotatedFile(path, 1000, 2);
        file.Append("one\n"u8);
        File.Move(path, path + ".moved");

        file.Append("two\n"u8);

        Assert.Equal("two\n", File.ReadAllText(path));
    }

    [Fact]
    public void Append_AfterLogrotateMadeAFileOfItsNameAnew_GoesOnInThatOne()
    {
        string path = _directory.Combine("access.log");
        using var file = new RotatedFile(path, 1000, 2);
        file.Append("one\n"u8);
        File.Move(path, path + "-20261128");
        File.WriteAllText(path, ""); // 'create'

        file.Append("two\n"u8);

        Assert.Equal("two\n", File.ReadAllText(path));
        Assert.Equal("one\n", File.ReadAllText(path + "-20261128"));
    }

    [Fact]
    public void Append_AfterAnotherFileWasMovedOverIt_GoesOnInThatOne()
    {
        string path = _directory.Combine("access.log");
        using var file = new RotatedFile(path, 1000, 2);
        file.Append("one\n"u8);
        File.WriteAllText(path + ".new", "other\n");
        File.Move(path + ".new", path, overwrite: true);

        file.Append("two\n"u8);

        Assert.Equal("other\ntwo\n", File.ReadAllText(path));
    }

    [Fact]
    public void Append_AfterItWasCutToNothing_BeginsAtItsBeginning()
    {
        string path = _directory.Combine("access.log");
        using var file = new RotatedFile(path, 1000, 2);
        file.Append("one, which is longer\n"u8);
        File.WriteAllText(path, ""); // 'copytruncate'

        file.Append("two\n"u8);

        Assert.Equal("two\n", File.ReadAllText(path));
    }

    [Fact]
    public void Append_ByALinkWhoseFolderIsExchanged_GoesOnInTheNewOne()
    {
        Directory.CreateDirectory(_directory.Combine("a"));
        Directory.CreateDirectory(_directory.Combine("b"));
        Directory.CreateSymbolicLink(_directory.Combine("now"), "a");
        using var file = new RotatedFile(_directory.Combine("now", "access.log"), 1000, 2);
        file.Append("one\n"u8);
        Directory.Delete(_directory.Combine("now"));
        Directory.CreateSymbolicLink(_directory.Combine("now"), "b");

        file.Append("two\n"u8);

        Assert.Equal("two\n", File.ReadAllText(_directory.Combine("b", "access.log")));
    }

    public void Dispose() => _directory.Dispose();
}
