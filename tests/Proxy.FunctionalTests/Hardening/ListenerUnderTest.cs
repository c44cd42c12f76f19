using System.Net;
using Breakwater.CacheStore;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>A proxy in front of a Stratum 1, once for all cases.</summary>
public abstract class ListenerUnderTest(bool rawPath) : IAsyncLifetime
{
    private ProxyUnderTest _proxy = null!;

    internal ScriptedUpstream Upstream { get; } = ScriptedUpstream.Serving(FixtureRepository.Tiny);

    internal EndPoint EndPoint => _proxy.EndPoint;

    /// <summary>Path of a document.</summary>
    internal string Document { get; } = FixtureRepository.Tiny.UrlPath(".cvmfspublished");

    /// <summary>Path of a stored object below its repository.</summary>
    internal string ObjectPath { get; private set; } = "";

    public async Task InitializeAsync()
    {
        Dictionary<string, string?> settings = new() { ["Proxy:RequestHeadTimeout"] = "00:00:02", ["Proxy:RawPath"] = rawPath.ToString() };
        _proxy = await ProxyUnderTest.StartAsync(settings, null, Upstream);
        ObjectKey key = FixtureRepository.Tiny.Objects.OrderBy(o => o.Value.Length).First(o => o.Value.Length >= 100).Key;
        ObjectPath = key.ToPath();
        Assert.Equal(200, (await _proxy.GetAsync(FixtureRepository.Tiny.UrlPath(key))).Status);
        Assert.Equal(200, (await _proxy.GetAsync(Document)).Status);
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await Upstream.DisposeAsync();
    }
}
