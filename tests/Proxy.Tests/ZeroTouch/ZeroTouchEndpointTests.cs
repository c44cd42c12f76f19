using System.Net;
using System.Text;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.ZeroTouch;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;

namespace Breakwater.Proxy.Tests.ZeroTouch;

/// <summary>Which address a PAC file names, and which targets are the boot folder's.</summary>
public sealed class ZeroTouchEndpointTests : IDisposable
{
    private readonly TemporaryDirectory _boot = new();

    public void Dispose() => _boot.Dispose();

    [Theory]
    [InlineData("10.1.2.3", 3333, "10.1.2.3:3333")]
    [InlineData("::ffff:10.1.2.3", 3333, "10.1.2.3:3333")]
    [InlineData("fd00::5", 3334, "[fd00::5]:3334")]
    [InlineData("::ffff:10.1.2.3", 80, "10.1.2.3:3333")] // where VMs ask, and no proxy listens
    public async Task Pac_WhereNoProxiesAreNamed_NamesTheAddressThatWasReached(string local, int port, string named)
    {
        using ZeroTouchEndpoint endpoint = Endpoint(null);
        using MemoryStream body = new();
        DefaultHttpContext context = new() { Connection = { LocalIpAddress = IPAddress.Parse(local), LocalPort = port } };
        context.Response.Body = body;
        RequestOutcome outcome = new();

        await endpoint.TryServe(context, "/wpad.dat", outcome)!.InTimeAsync();

        Assert.Equal(ZeroTouchEndpoint.Pac([named], hasWayOut: true), Encoding.ASCII.GetString(body.ToArray()));
        Assert.Equal((RequestResult.Local, body.Length), (outcome.Result, outcome.BytesSent));
    }

    [Theory]
    [InlineData("/boot/x", true)]
    [InlineData("//boot//x?serial=1", true)]
    [InlineData("/boot", false)]
    [InlineData("/x", false)]
    [InlineData("/wpad.dat", false)]
    public void MayServe_Target_IsBelowBootWhereThereIsAFolder(string target, bool mayBe)
    {
        using ZeroTouchEndpoint with = Endpoint(_boot.Path), without = Endpoint(null);

        Assert.Equal(mayBe, with.MayServe(target));
        Assert.False(without.MayServe(target));
        Assert.Null(with.TryServe(new DefaultHttpContext(), "/boot/x", new RequestOutcome()));
    }

    private static ZeroTouchEndpoint Endpoint(string? folder) => new(
        new BreakwaterSettings
        {
            Proxy = new ProxyOptions { Listen = ["[::]:3333"] },
            Access = new AccessOptions(),
            Store = new CacheStore.StoreOptions(),
            Repositories = new Dictionary<string, RepositoryOptions>(),
            ZeroTouch = new ZeroTouchOptions { Listen = "[::]:80", BootDirectory = folder },
        },
        null!, TimeProvider.System); // no answer here needs a head of the proxy's own
}
