using System.Text;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>A site's parent proxy between this one and the Stratum 1s: its password, and whose fault is whose.</summary>
public sealed class ParentProxyTests : IAsyncLifetime
{
    private const string Password = "s@cr:t/%";
    private static readonly string s_authorization = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("site:" + Password));

    private readonly ScriptedUpstream _parent = ScriptedUpstream.Start();
    private readonly SyntheticObject _item = new(3_000);

    public Task InitializeAsync()
    {
        _item.On(_parent);
        _parent.Put("/cvmfs/synthetic.example.org/store/file", _item.Bytes);
        _parent.Choose = r => r.Header("Proxy-Authorization") == s_authorization
            ? UpstreamBehaviour.Default
            : new UpstreamBehaviour { Status = 407, ExtraHeaders = ["Proxy-Authenticate: Basic realm=\"site\""] };
        return Task.CompletedTask;
    }

    public Task DisposeAsync() => _parent.DisposeAsync().AsTask();

    [Fact]
    public async Task Parent_WithAPasswordInItsUrl_IsToldItAtOnce()
    {
        await using ProxyUnderTest proxy = await StartAsync($"http://site:{Uri.EscapeDataString(Password)}@{_parent.EndPoint}");

        Assert.Equal(_item.Bytes, (await proxy.GetAsync(_item.Path)).Body);
        Assert.Equal(_item.Bytes, (await proxy.GetAsync("/cvmfs/synthetic.example.org/store/file")).Body);

        Assert.Equal(2, _parent.Requests.Count);
        Assert.All(_parent.Requests, r => Assert.StartsWith("http://192.0.2.10/", r.Target, StringComparison.Ordinal));
        Assert.Empty(proxy.Services.GetRequiredService<Health>().Check().Findings);
    }

    [Theory]
    [InlineData("http://")]
    [InlineData("http://site:wrong@")]
    public async Task Parent_WantsAnotherPassword_IsBlamedItself(string url)
    {
        await using ProxyUnderTest proxy = await StartAsync(url + _parent.EndPoint);

        foreach (string path
            in new[] { _item.Path, "/cvmfs/synthetic.example.org/store/file", "/cvmfs/synthetic.example.org/.cvmfs_status.json", _item.Path,
            _item.Path })
        {
            RawResponse response = await proxy.GetAsync(path);
            Assert.Equal(502, response.Status);
            string said = Encoding.UTF8.GetString(response.Body) + response.Header("Proxy-Status");
            Assert.Contains($"parent proxy http://{_parent.EndPoint}/ answered 407", said, StringComparison.Ordinal);
            Assert.DoesNotContain("wrong", said, StringComparison.Ordinal);
        }

        HealthFinding finding = Assert.Single(proxy.Services.GetRequiredService<Health>().Check().Findings);
        Assert.Equal("parent-proxy", finding.Name);
        Assert.DoesNotContain("wrong", finding.Text, StringComparison.Ordinal);
        AssertStratum1sAreNotBlamed(proxy);
    }

    [Theory]
    [InlineData(502)]
    [InlineData(504)]
    public async Task Parent_FailsByItself_IsBlamedAndHealsWithItsNextAnswer(int status)
    {
        _parent.Choose = null;
        _parent.Everything = UpstreamBehaviour.WithStatus(status);
        await using ProxyUnderTest proxy = await StartAsync($"http://{_parent.EndPoint}");
        for (int i = 0; i < 4; i++)
        {
            RawResponse failed = await proxy.GetAsync(_item.Path);
            Assert.Equal(502, failed.Status);
            Assert.Contains($"answered {status}", failed.Header("Proxy-Status"), StringComparison.Ordinal);
        }

        AssertStratum1sAreNotBlamed(proxy);
        _parent.Heal();

        Assert.Equal(_item.Bytes, (await proxy.GetAsync(_item.Path)).Body);
        Assert.Empty(proxy.Services.GetRequiredService<Health>().Check().Findings);
    }

    [Fact]
    public async Task Parent_IsNotThere_IsBlamed()
    {
        await using ProxyUnderTest proxy = await StartAsync("http://site:secret@127.0.0.1:9");

        RawResponse failed = await proxy.GetAsync(_item.Path);

        Assert.Equal(502, failed.Status);
        Assert.Contains("parent proxy http://127.0.0.1:9/ could not be reached", failed.Header("Proxy-Status"), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", Encoding.UTF8.GetString(failed.Body), StringComparison.Ordinal);
        AssertStratum1sAreNotBlamed(proxy);
    }

    [Fact]
    public async Task Parent_TellsOfAStratum1ThatItCannotReach_TheStratum1IsBlamed()
    {
        _parent.Choose = null;
        _parent.Everything = new UpstreamBehaviour { Status = 503, ExtraHeaders = ["X-Squid-Error: ERR_CONNECT_FAIL 111"] };
        await using ProxyUnderTest proxy = await StartAsync($"http://{_parent.EndPoint}");

        Assert.Equal(502, (await proxy.GetAsync(_item.Path)).Status);

        Assert.Equal(Stratum1State.Failing, StateOfStratum1(proxy));
        Assert.DoesNotContain(proxy.Services.GetRequiredService<Health>().Check().Findings, f => f.Name == "parent-proxy");
    }

    [Fact]
    public async Task Parent_FailsWithoutAWord_IsBlamedOnceItsViaIsKnown()
    {
        _parent.Choose = null;
        _parent.Everything = new UpstreamBehaviour { ExtraHeaders = ["Via: 1.1 parent"] };
        SyntheticObject other = new SyntheticObject(3_000, seed: 2).On(_parent);
        await using ProxyUnderTest proxy = await StartAsync($"http://{_parent.EndPoint}");
        Assert.Equal(200, (await proxy.GetAsync(_item.Path)).Status);
        _parent.Everything = UpstreamBehaviour.WithStatus(503);

        RawResponse failed = await proxy.GetAsync(other.Path);

        Assert.Contains($"parent proxy http://{_parent.EndPoint}/ answered 503", failed.Header("Proxy-Status"), StringComparison.Ordinal);
        Assert.Equal(Stratum1State.Answers, StateOfStratum1(proxy));
        Assert.Contains(proxy.Services.GetRequiredService<Health>().Check().Findings, f => f.Name == "parent-proxy");
    }

    [Fact]
    public async Task Parent_OfAHttpsStratum1_IsToldThePasswordOnItsConnect()
    {
        _parent.Choose = r => r.Header("Proxy-Authorization") == s_authorization
            ? new UpstreamBehaviour { Status = 503, ExtraHeaders = ["X-Squid-Error: ERR_ACCESS_DENIED 0"] }
            : new UpstreamBehaviour { Status = 407, ExtraHeaders = ["Proxy-Authenticate: Basic realm=\"site\""] };
        await using ProxyUnderTest proxy =
            await StartAsync($"http://site:{Uri.EscapeDataString(Password)}@{_parent.EndPoint}", "https://192.0.2.10/");

        RawResponse failed = await proxy.GetAsync(_item.Path);

        Assert.Contains($"parent proxy http://{_parent.EndPoint}/ answered 503", failed.Header("Proxy-Status"), StringComparison.Ordinal);
        Assert.All(_parent.Requests, r => Assert.Equal(("CONNECT", "192.0.2.10:443"), (r.Method, r.Target)));
        Assert.Equal(s_authorization, _parent.Requests[^1].Header("Proxy-Authorization"));
        AssertStratum1sAreNotBlamed(proxy);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Parents_TheFirstFails_TheNextIsAskedForTheSameRequest(bool answers)
    {
        await using ScriptedUpstream refusing = ScriptedUpstream.Start();
        refusing.Everything = UpstreamBehaviour.WithStatus(407);
        string first = answers ? refusing.EndPoint.ToString() : "127.0.0.1:9";
        await using ProxyUnderTest proxy = await StartWithAsync(new()
        {
            ["Address"] = $"http://{first}",
            ["Others:0"] = $"http://site:{Uri.EscapeDataString(Password)}@{_parent.EndPoint}",
        });

        Assert.Equal(_item.Bytes, (await proxy.GetAsync(_item.Path)).Body);
        Assert.Equal(_item.Bytes, (await proxy.GetAsync("/cvmfs/synthetic.example.org/store/file")).Body);

        // The second request spares the parent that had just failed.
        Assert.Equal(answers ? 1 : 0, refusing.Requests.Count);
        Assert.All(refusing.Requests, r => Assert.Null(r.Header("Proxy-Authorization")));
        HealthFinding finding = Assert.Single(proxy.Services.GetRequiredService<Health>().Check().Findings);
        Assert.Contains($"parent proxy http://{first}/", finding.Text, StringComparison.Ordinal);
        Assert.EndsWith("The next parent proxy is asked in its place.", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parents_AllFail_EachIsNamedAndNoStratum1IsBlamed()
    {
        await using ProxyUnderTest proxy = await StartWithAsync(new()
        {
            ["Address"] = "http://127.0.0.1:9",
            ["Others:0"] = $"http://site:wrong@{_parent.EndPoint}",
        });

        RawResponse failed = await proxy.GetAsync(_item.Path);

        Assert.Equal(502, failed.Status);
        string said = failed.Header("Proxy-Status")!;
        Assert.Contains("http://127.0.0.1:9/ could not be reached", said, StringComparison.Ordinal);
        Assert.Contains($"http://{_parent.EndPoint}/ answered 407", said, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", said, StringComparison.Ordinal);
        AssertStratum1sAreNotBlamed(proxy);
    }

    [Fact]
    public async Task Parent_WithAPasswordInAFile_IsToldIt()
    {
        using var directory = new TemporaryDirectory();
        string file = directory.Combine("parent");
        await File.WriteAllTextAsync(file, $"site:{Password}\n");
        await using ProxyUnderTest proxy =
            await StartWithAsync(new() { ["Address"] = $"http://{_parent.EndPoint}", ["CredentialsFile"] = file });

        Assert.Equal(_item.Bytes, (await proxy.GetAsync(_item.Path)).Body);

        Assert.Equal(s_authorization, Assert.Single(_parent.Requests).Header("Proxy-Authorization"));
    }

    [Fact]
    public async Task Parent_OfAStratum1InNoProxy_IsNotAskedNorTold()
    {
        _parent.Choose = null;
        await using ProxyUnderTest proxy = await StartWithAsync(
            new() { ["Address"] = "http://site:secret@127.0.0.1:9", ["NoProxy:0"] = "127.0.0.1" }, _parent.Address);

        Assert.Equal(_item.Bytes, (await proxy.GetAsync(_item.Path)).Body);

        Assert.Null(Assert.Single(_parent.Requests).Header("Proxy-Authorization"));
        Assert.StartsWith("/cvmfs/", _parent.Requests[0].Target, StringComparison.Ordinal);
    }

    private static void AssertStratum1sAreNotBlamed(ProxyUnderTest proxy) =>
        Assert.Equal(Stratum1State.NotAskedYet, StateOfStratum1(proxy));

    private static Stratum1State StateOfStratum1(ProxyUnderTest proxy)
    {
        Yarp.ReverseProxy.Model.DestinationState stratum1 = proxy.Services.GetRequiredService<IProxyStateLookup>().GetClusters().Single()
            .DestinationsState.AllDestinations.Single();
        return proxy.Services.GetRequiredService<Stratum1Outcomes>().StateOf(stratum1);
    }

    private static Task<ProxyUnderTest> StartAsync(string parent, string stratum1 = "http://192.0.2.10/") =>
        StartWithAsync(new() { ["Address"] = parent }, stratum1);

    private static Task<ProxyUnderTest> StartWithAsync(Dictionary<string, string> parents, string stratum1 = "http://192.0.2.10/") =>
        ProxyUnderTest.StartAsync(
            parents.ToDictionary(p => "ReverseProxy:Clusters:test:HttpClient:WebProxy:" + p.Key, string? (p) => p.Value)
                .Append(new("ReverseProxy:Clusters:test:Destinations:s1:Address", stratum1)).ToDictionary(),
            null);
}
