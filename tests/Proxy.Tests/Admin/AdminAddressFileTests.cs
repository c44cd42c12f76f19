using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Admin;

/// <summary>Where commands look for the admin port.</summary>
public sealed class AdminAddressFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("", null)]                                              // no admin port
    [InlineData("127.0.0.1:9128", "http://127.0.0.1:9128/")]
    [InlineData("127.0.0.1:1", "http://127.0.0.1:1/")]
    [InlineData("10.0.0.5:9128", "http://10.0.0.5:9128/")]
    [InlineData("[fd00::5]:9128", "http://[fd00::5]:9128/")]
    [InlineData("0.0.0.0:9128", "http://127.0.0.1:9128/")]              // every address of this host: by its own
    [InlineData("[::]:9128", "http://127.0.0.1:9128/")]
    [InlineData("127.0.0.1:0", null)]                                   // no server has noted its port
    public void Find_OfAPortInTheSettings_IsItsAddress(string listen, string? address) =>
        Assert.Equal(address, AdminAddressFile.Find(Options(listen))?.ToString());

    [Fact]
    public void Find_OfAPortWithTls_SpeaksTls()
    {
        AdminOptions options = Options("127.0.0.1:9128");
        options.TlsCertificate = "cert.pem";

        Assert.Equal("https://127.0.0.1:9128/", AdminAddressFile.Find(options)?.ToString());
    }

    [Fact]
    public void Find_OfAFreePort_IsWhatTheServerNoted()
    {
        AdminOptions options = Options("127.0.0.1:0");

        AdminAddressFile.Write(options, new Uri("http://127.0.0.1:4711/"));

        Assert.Equal("http://127.0.0.1:4711/", AdminAddressFile.Find(options)?.ToString());
        Assert.Equal("http://127.0.0.1:4711/\n", File.ReadAllText(_directory.Combine("admin.address")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("no address")]
    public void Find_OfANoteThatSaysNoAddress_IsNothing(string note)
    {
        File.WriteAllText(_directory.Combine("admin.address"), note);

        Assert.Null(AdminAddressFile.Find(Options("127.0.0.1:0")));
    }

    private AdminOptions Options(string listen) => new() { Listen = listen, TokenFile = _directory.Combine("admin.token") };
}
