using System.Net;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Admin;

public sealed class AdminGuardTests : IDisposable
{
    private static readonly IPAddress s_elsewhere = IPAddress.Parse("10.1.2.3");
    private readonly TemporaryDirectory _directory = new();

    [Theory]
    [InlineData("GET", "localhost")]
    [InlineData("HEAD", "127.0.0.1")]
    [InlineData("GET", "[::1]")]
    [InlineData("GET", "proxy.example.org")]
    [InlineData("GET", "")]
    public void Decide_ReadFromLoopback_IsOpen(string method, string host) =>
        Assert.Equal(AdminVerdict.Allowed, Guard(out _).Decide(method, "/api/v1/status", host, IPAddress.Loopback, null));

    [Theory]
    [InlineData("evil.example.com")]
    [InlineData("localhost.evil.example.com")]
    [InlineData("127.0.0.1.nip.io")]
    public void Decide_ForeignName_IsRefusedWhateverElseIsRight(string host)
    {
        AdminGuard guard = Guard(out string token);

        Assert.Equal(AdminVerdict.WrongHost, guard.Decide("GET", "/", host, IPAddress.Loopback, "Bearer " + token));
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("DELETE")]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    [InlineData("OPTIONS")]
    public void Decide_Action_NeedsTheToken(string method)
    {
        AdminGuard guard = Guard(out string token);

        Assert.Equal(AdminVerdict.TokenNeeded, guard.Decide(method, "/api/v1/drain", "localhost", IPAddress.Loopback, null));
        Assert.Equal(AdminVerdict.TokenNeeded, guard.Decide(method, "/healthz/live", "localhost", IPAddress.Loopback, null));
        Assert.Equal(AdminVerdict.TokenNeeded,
            guard.Decide(method, "/api/v1/drain", "localhost", IPAddress.Loopback, "Bearer " + token[..^1]));
        Assert.Equal(AdminVerdict.TokenNeeded, guard.Decide(method, "/api/v1/drain", "localhost", IPAddress.Loopback, "Basic " + token));
        Assert.Equal(AdminVerdict.Allowed, guard.Decide(method, "/api/v1/drain", "localhost", IPAddress.Loopback, "Bearer " + token));
    }

    [Fact]
    public void Decide_ReadFromElsewhere_NeedsTheTokenButHealthDoesNot()
    {
        AdminGuard guard = Guard(out string token);

        Assert.Equal(AdminVerdict.TokenNeeded, guard.Decide("GET", "/metrics", "10.0.0.1", s_elsewhere, null));
        Assert.Equal(AdminVerdict.TokenNeeded, guard.Decide("GET", "/healthzz", "10.0.0.1", s_elsewhere, null));
        Assert.Equal(AdminVerdict.Allowed, guard.Decide("GET", "/metrics", "10.0.0.1", s_elsewhere, "bearer " + token));
        Assert.Equal(AdminVerdict.Allowed, guard.Decide("GET", "/healthz/ready", "10.0.0.1", s_elsewhere, null));
    }

    [Fact]
    public void LoadOrCreate_Twice_KeepsTheTokenInAFileForItsOwnerAlone()
    {
        string path = Path.Combine(_directory.Path, "made", "admin.token");

        AdminToken.LoadOrCreate(path);
        string first = AdminToken.Read(path);
        AdminToken second = AdminToken.LoadOrCreate(path);

        Assert.Equal(43, first.Length);
        Assert.True(second.Matches("Bearer " + first));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }
    }

    public void Dispose() => _directory.Dispose();

    private AdminGuard Guard(out string token)
    {
        string path = Path.Combine(_directory.Path, "admin.token");
        AdminToken made = AdminToken.LoadOrCreate(path);
        token = AdminToken.Read(path);
        return new AdminGuard(new AdminOptions { Hosts = ["proxy.example.org"] }, made);
    }
}
