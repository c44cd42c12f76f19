namespace Breakwater.Mount.Tests;

public sealed class MountOptionsTests
{
    private const string Least = "os.lab.example /mnt --server s1 --keys /k";

    [Fact]
    public void Parse_OfTheLeast_HasTheDefaults()
    {
        (MountOptions options, string? problem) = MountOptions.Parse(Least.Split(' '));
        Assert.Null(problem);
        Assert.Equal(("os.lab.example", "/mnt", "s1", "/k"), (options.Fqrn, options.MountPoint, options.Server, options.Keys));
        Assert.Equal(("DIRECT", "", "", ""), (options.Proxy, options.Pac, options.Tag, options.RootHash));
        Assert.Equal(
            ("/var/cache/breakwater-mount", 1000L << 20, TimeSpan.FromSeconds(30), false),
            (options.Cache, options.QuotaBytes, options.Patience, options.IsInsecure));
    }

    [Fact]
    public void Parse_OfEveryOption_TakesItAnywhere()
    {
        (MountOptions options, string? problem) = MountOptions.Parse(
            ("--server s1;s2 --proxy p1 os.lab.example --pac u --tag t /mnt --cache /c --quota-mb 2147483647 --patience 0 --insecure "
            + "--keys /k").Split(' '));
        Assert.Null(problem);
        Assert.Equal(("os.lab.example", "/mnt", "s1;s2", "/k"), (options.Fqrn, options.MountPoint, options.Server, options.Keys));
        Assert.Equal(("p1", "u", "t", ""), (options.Proxy, options.Pac, options.Tag, options.RootHash));
        Assert.Equal(
            ("/c", 2147483647L << 20, TimeSpan.Zero, true), (options.Cache, options.QuotaBytes, options.Patience, options.IsInsecure));
    }

    [Theory]
    [InlineData("--quota-mb 1", null)]
    [InlineData("--quota-mb 0", "--quota-mb: unknown, or its value")]
    [InlineData("--quota-mb -1", "--quota-mb: unknown")]
    [InlineData("--quota-mb 1x", "--quota-mb: unknown")]
    [InlineData("--quota-mb", "--quota-mb: unknown")]
    [InlineData("--patience 1", null)]
    [InlineData("--patience -1", "--patience: unknown")]
    [InlineData("--patience 1.5", "--patience: unknown")]
    [InlineData("--nonsense 1", "--nonsense: unknown")]
    [InlineData("--tag", "--tag: unknown")]
    [InlineData("third", "A repository and a mount point are needed.")]
    [InlineData("--tag t --root-hash 00", "exclude each other")]
    [InlineData("--root-hash 00", null)]
    [InlineData("--tag t", null)]
    public void Parse_OfOneMore_SaysWhatIsWrongWithIt(string more, string? expected) => Says(expected, $"{Least} {more}");

    [Theory]
    [InlineData("", "A repository and a mount point are needed.")]
    [InlineData("os.lab.example", "A repository and a mount point are needed.")]
    [InlineData("os..lab /mnt --server s1 --keys /k", "'os..lab' is not the name of a repository.")]
    [InlineData("os.lab.example /mnt --keys /k", "--server is needed.")]
    [InlineData("os.lab.example /mnt --server s1", "--keys is needed")]
    [InlineData("os.lab.example /mnt --server s1 --insecure", null)]
    [InlineData("os.lab.example /mnt --server s1 --root-hash 00", null)]
    public void Parse_OfLess_SaysWhatIsMissing(string arguments, string? expected) => Says(expected, arguments);

    private static void Says(string? expected, string arguments)
    {
        (_, string? problem) = MountOptions.Parse(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        if (expected is null)
        {
            Assert.Null(problem);
        }
        else
        {
            Assert.Contains(expected, problem, StringComparison.Ordinal);
        }
    }
}
