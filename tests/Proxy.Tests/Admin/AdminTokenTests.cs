using Breakwater.Proxy.Admin;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Admin;

/// <summary>The token's file after a start that met a full disk, a power failure, or an operator.</summary>
public sealed class AdminTokenTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")]
    public void File_ThatSaysNothing_IsMadeAnew(string content)
    {
        string path = _directory.Combine("admin.token");
        File.WriteAllText(path, content);

        AdminToken made = AdminToken.LoadOrCreate(path);

        Assert.True(made.Matches("Bearer " + AdminToken.Read(path)));
        Assert.Equal(43, AdminToken.Read(path).Length);
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(path) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.Single(Directory.EnumerateFileSystemEntries(_directory.Path));
    }

    [Fact]
    public void File_LeftHalfWrittenBesideIt_IsReplaced()
    {
        string path = _directory.Combine("admin.token");
        File.WriteAllText(path + ".new", "half");

        Assert.True(AdminToken.LoadOrCreate(path).Matches("Bearer " + AdminToken.Read(path)));
        Assert.False(File.Exists(path + ".new"));
    }

    [Theory]
    [InlineData("short")]
    [InlineData("fifteen letters")]
    [InlineData("sixteen letters\u0001and more")]
    [InlineData("more than sixteen l\u00e4tters")]
    public void File_WithSomethingElse_IsKeptAndNamed(string content)
    {
        string path = _directory.Combine("admin.token");
        File.WriteAllText(path, content);

        IOException refused = Assert.Throws<IOException>(() => AdminToken.LoadOrCreate(path));

        Assert.Contains(path, refused.Message, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllText(path));
    }

    [Theory]
    [InlineData("sixteen letters!")]
    [InlineData("  sixteen letters~  \n")]
    public void File_OfAnOperator_IsTheToken(string content)
    {
        string path = _directory.Combine("admin.token");
        File.WriteAllText(path, content);

        AdminToken token = AdminToken.LoadOrCreate(path);

        Assert.Equal(content.Trim(), AdminToken.Read(path));
        Assert.True(token.Matches("Bearer " + content.Trim()));
        Assert.True(token.Matches("bearer  " + content.Trim() + " "));
        Assert.False(token.Matches(content.Trim()));
        Assert.False(token.Matches(null));
        Assert.True(token.IsSame(content.Trim()));
        Assert.False(token.IsSame(content.Trim()[..^1]));
    }

    [Fact]
    public void File_OfTheStartBefore_IsKept()
    {
        string path = _directory.Combine("folder", "admin.token");
        AdminToken.LoadOrCreate(path);
        string first = AdminToken.Read(path);

        Assert.True(AdminToken.LoadOrCreate(path).Matches("Bearer " + first));
    }
}
