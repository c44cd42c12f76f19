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

    public void Dispose() => _directory.Dispose();
}
