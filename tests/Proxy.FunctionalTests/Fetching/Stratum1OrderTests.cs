using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.Fetching;

/// <summary>Which Stratum 1 is asked first: one that failed again and again is asked last for a while.</summary>
public sealed class Stratum1OrderTests
{
    private const string Passive = "ReverseProxy:Clusters:test:HealthCheck:Passive:Enabled";

    /// <summary>As the shipped clusters have it, and as a cluster that names its Stratum 1s and nothing else.</summary>
    public static TheoryData<string?> WaysToAskForIt => ["true", null];

    [Theory]
    [MemberData(nameof(WaysToAskForIt))]
    public async Task Stratum1_ThreeFailuresInARow_IsAskedLastAndFirstAgainHalfAMinuteLater(string? passive)
    {
        FakeTimeProvider time = new(DateTimeOffset.UtcNow);
        await using ScriptedUpstream first = ScriptedUpstream.Start();
        await using ScriptedUpstream second = ScriptedUpstream.Start();
        first.Everything = UpstreamBehaviour.WithStatus(503);
        await using ProxyUnderTest proxy =
            await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { [Passive] = passive }, time, first, second);
        int made = 0;
        for (int i = 1; i <= 3; i++)
        {
            await GetNewAsync(first, second);
            Assert.Equal((i, i), (first.Requests.Count, second.Requests.Count));
        }

        await GetNewAsync(first, second);
        Assert.Equal((3, 4), (first.Requests.Count, second.Requests.Count));

        // It works again. It is asked what the other has not, and for nothing else before its time.
        first.Heal();
        await GetNewAsync(first);
        Assert.Equal((4, 5), (first.Requests.Count, second.Requests.Count));
        time.Advance(TimeSpan.FromSeconds(29));
        await GetNewAsync(first, second);
        Assert.Equal((4, 6), (first.Requests.Count, second.Requests.Count));

        time.Advance(TimeSpan.FromSeconds(2)); // once: its rest was begun by the failures above
        await Waiting.UntilAsync(async () =>
        {
            await GetNewAsync(first, second);
            return first.Requests.Count != 4;
        });

        int asked = second.Requests.Count;
        await GetNewAsync(first, second);
        Assert.Equal((6, asked), (first.Requests.Count, second.Requests.Count));

        async Task GetNewAsync(params IReadOnlyList<ScriptedUpstream> holders)
        {
            SyntheticObject item = new SyntheticObject(3_000, made++).On(holders);
            Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Path)).Body);
        }
    }

    [Fact]
    public async Task Stratum1_HealthCheckSwitchedOff_KeepsItsPlace()
    {
        await using ScriptedUpstream first = ScriptedUpstream.Start();
        await using ScriptedUpstream second = ScriptedUpstream.Start();
        first.Everything = UpstreamBehaviour.WithStatus(503);
        await using ProxyUnderTest proxy =
            await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { [Passive] = "false" }, null, first, second);
        for (int i = 1; i <= 6; i++)
        {
            SyntheticObject item = new SyntheticObject(3_000, i).On(second);
            Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Path)).Body);
            Assert.Equal((i, i), (first.Requests.Count, second.Requests.Count));
        }
    }

    [Fact]
    public async Task Stratum1_TwoFailuresAndAnAnswer_StaysFirst()
    {
        await using ScriptedUpstream first = ScriptedUpstream.Start();
        await using ScriptedUpstream second = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy =
            await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { [Passive] = "true" }, null, first, second);
        for (int i = 0; i < 6; i++)
        {
            SyntheticObject item = new SyntheticObject(3_000, i).On(first, second);
            first.Everything = i % 3 < 2 ? UpstreamBehaviour.WithStatus(503) : UpstreamBehaviour.Default;
            Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Path)).Body);
            Assert.Equal(i + 1, first.Requests.Count);
        }
    }

    [Fact]
    public async Task Client_NamesAHostWithItsPort_ThatOneOfTheHostIsAsked()
    {
        await using ScriptedUpstream first = ScriptedUpstream.Start();
        await using ScriptedUpstream second = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(first, second);
        for (int i = 0; i < 3; i++)
        {
            SyntheticObject item = new SyntheticObject(3_000, i).On(first, second);
            ScriptedUpstream named = i % 2 == 0 ? second : first;
            Assert.Equal(item.Bytes, (await proxy.GetAsync($"http://{named.EndPoint}{item.Path}")).Body);
            Assert.Equal(1, named.RequestCount(item.Path));
        }

        // A port that none has: the host's first.
        SyntheticObject other = new SyntheticObject(3_000, 9).On(first, second);
        Assert.Equal(other.Bytes, (await proxy.GetAsync($"http://127.0.0.1:1{other.Path}")).Body);
        Assert.Equal(1, first.RequestCount(other.Path));
    }

    [Theory]
    [InlineData("mirror")]
    [InlineData("mirror/")]
    [InlineData("a/b.c/")]
    public async Task Stratum1_BelowAPath_IsAskedThere(string root)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new(3_000);
        string prefix = "/" + root.TrimEnd('/');
        upstream.Put(prefix + item.Path, item.Bytes);
        upstream.Put(prefix + "/cvmfs/synthetic.example.org/store/file", item.Bytes);
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?> { ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = upstream.Address + root }, null);

        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Path)).Body);
        Assert.Equal(item.Bytes, (await proxy.GetAsync("/cvmfs/synthetic.example.org/store/file")).Body);
    }
}
