using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>Requests that come back to the proxy that made them, and those that only come through other proxies.</summary>
public sealed class LoopTests : IAsyncLifetime
{
    private const string File = "/cvmfs/synthetic.example.org/store/file.dat";
    private const string Document = "/cvmfs/synthetic.example.org/.cvmfs_status.json";

    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private readonly SyntheticObject _stored = new(3_000);
    private readonly SyntheticObject _missing = new(3_000, seed: 2);

    public static TheoryData<bool> Paths => [true, false];

    public Task InitializeAsync()
    {
        _stored.On(_upstream);
        _missing.On(_upstream);
        _upstream.Put(File, new byte[10]);
        _upstream.Put(Document, new byte[10]);
        return Task.CompletedTask;
    }

    public Task DisposeAsync() => _upstream.DisposeAsync().AsTask();

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Request_ThatThisProxyMade_IsALoopWhateverItAsksFor(bool rawPath)
    {
        await using ProxyUnderTest proxy = await StartAsync(rawPath);
        string own = await OwnMarkAsync(proxy);
        foreach (string path in new[] { _stored.Path, _missing.Path, File, Document })
        {
            foreach (string chain in new[] { own, $"squid-7, {own}, other; x=1", own.ToUpperInvariant() })
            {
                RawResponse loop = await proxy.GetAsync(path, "CDN-Loop: " + chain);

                Assert.Equal(508, loop.Status);
                Assert.Contains("two proxies", System.Text.Encoding.UTF8.GetString(loop.Body), StringComparison.Ordinal);
                Assert.Contains("proxy_loop_detected", loop.Header("Proxy-Status"), StringComparison.Ordinal);
            }
        }

        Assert.Equal(508, (await proxy.GetAsync(_stored.Path, "CDN-Loop: a", "CDN-Loop: " + own)).Status);
        Assert.Single(_upstream.Requests);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Request_ThroughOtherProxies_IsServedAndItsWayIsCarriedOn(bool rawPath)
    {
        await using ProxyUnderTest proxy = await StartAsync(rawPath);
        string own = await OwnMarkAsync(proxy);

        // Another Breakwater that nobody named has the same name.
        foreach (string path in new[] { _stored.Path, _missing.Path, File, Document })
        {
            Assert.Equal(200,
                (await proxy.GetAsync(path, "Via: 1.1 breakwater, 1.0 squid (squid/6.6)", "CDN-Loop: breakwater-0123456789abcdef")).Status);
        }

        foreach (string path in new[] { _missing.Path, File, Document })
        {
            UpstreamRequest seen = Assert.Single(_upstream.Requests, r => r.Path == path);
            Assert.Equal("1.1 breakwater, 1.0 squid (squid/6.6), 1.1 breakwater", seen.Header("Via"));
            Assert.Equal("breakwater-0123456789abcdef, " + own, seen.Header("CDN-Loop"));
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Request_WithTheProxysOwnNameInVia_IsALoop(bool rawPath)
    {
        await using ProxyUnderTest proxy = await StartAsync(rawPath, ("Proxy:Name", "Proxy1.Example.org"));
        await OwnMarkAsync(proxy);
        foreach (string path in new[] { _stored.Path, _missing.Path, File })
        {
            Assert.Equal(508, (await proxy.GetAsync(path, "Via: 1.1 squid, 1.1 proxy1.example.org (breakwater)")).Status);
            Assert.Equal(508, (await proxy.GetAsync(path, "Via: HTTP/1.1 PROXY1.example.org:3128")).Status);
            Assert.Equal(200, (await proxy.GetAsync(path, "Via: 1.1 proxy2.example.org, 1.1 xproxy1.example.org")).Status);
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Chain_LongerThanAnyWay_IsALoopAndAWildOneHurtsNoStratum1(bool rawPath)
    {
        await using ProxyUnderTest proxy = await StartAsync(rawPath);
        await OwnMarkAsync(proxy);

        Assert.Equal(508,
            (await proxy.GetAsync(_stored.Path,
            "CDN-Loop: " + string.Join(", ", Enumerable.Range(0, 400).Select(i => $"proxy{i}")))).Status);
        int status = (await proxy.GetAsync(File, "Via: 1.1 caf\u00e9", "User-Agent: caf\u00e9")).Status;
        Assert.True(status is 200 or 400, $"{status}");
    }

    [Fact]
    public async Task TwoProxies_ThatAskEachOther_MakeNoMoreThanAFewRequests()
    {
        await using ProxyUnderTest proxy = await StartAsync(true);

        // What the other proxy would send back, for each kind of content.
        foreach (string path
            in new[] { "/cvmfs/synthetic.example.org/data/ab/cdef0123456789abcdef0123456789abcdef01", File + "2", Document + "2" })
        {
            _upstream.ScriptNext(path, UpstreamBehaviour.WithStatus(404));
            await proxy.GetAsync(path);
            UpstreamRequest sent = _upstream.Requests[^1];
            Assert.Equal(508, (await proxy.GetAsync(path, "CDN-Loop: " + sent.Header("CDN-Loop"), "Via: " + sent.Header("Via"))).Status);
            Assert.Equal(1, _upstream.RequestCount(path));
        }
    }

    /// <summary>Has an object stored, and tells how the proxy signs what it asks.</summary>
    private async Task<string> OwnMarkAsync(ProxyUnderTest proxy)
    {
        Assert.Equal(200, (await proxy.GetAsync(_stored.Path)).Status);
        UpstreamRequest request = Assert.Single(_upstream.Requests);
        Assert.StartsWith("1.1 ", request.Header("Via"), StringComparison.Ordinal);
        return request.Header("CDN-Loop")!;
    }

    private Task<ProxyUnderTest> StartAsync(bool rawPath, params (string Name, string Value)[] settings) =>
        ProxyUnderTest.StartAsync(settings.Append(("Proxy:RawPath", rawPath.ToString())).ToDictionary(s => s.Item1, string? (s) => s.Item2),
        null, _upstream);
}
