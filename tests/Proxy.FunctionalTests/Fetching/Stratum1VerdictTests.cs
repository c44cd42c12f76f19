using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.FunctionalTests.Fetching;

/// <summary>
/// What counts against a Stratum 1: not what it says to words that a client made up, and not a health path that it does not have.
/// </summary>
public sealed class Stratum1VerdictTests
{
    [Theory]
    [InlineData("/cvmfs/synthetic.example.org/api/v1.0/geo/x{0}/a", 400)]
    [InlineData("/cvmfs/synthetic.example.org/api/v1.0/geo/x{0}/a", 500)]
    [InlineData("/cvmfs/synthetic.example.org/api/v1.0/geo/x{0}/a", 302)]
    [InlineData("/cvmfs/synthetic.example.org/data/ab/{0}", 403)]
    [InlineData("/cvmfs/synthetic.example.org/.cvmfs{0}", 405)]
    [InlineData("/cvmfs/synthetic.example.org/.cvmfs{0}", 414)]
    public async Task Stratum1_RefusesWhatAClientMadeUp_StillAnswersAndComesFirst(string path, int status)
    {
        await using ScriptedUpstream first = ScriptedUpstream.Start();
        await using ScriptedUpstream second = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(first, second);
        first.Choose = second.Choose = _ => UpstreamBehaviour.WithStatus(status);
        for (int i = 0; i < 5; i++)
        {
            await proxy.GetAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, path, $"{i}".PadLeft(38, '0')));
        }

        Assert.All(Stratum1s(proxy),
            s => Assert.Contains(proxy.Services.GetRequiredService<Stratum1Outcomes>().StateOf(s),
            new[] { Stratum1State.Answers, Stratum1State.NotAskedYet }));
        first.Choose = second.Choose = null;
        SyntheticObject item = new SyntheticObject(3_000).On(first, second);
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Path)).Body);
        Assert.Equal((1, 0), (first.RequestCount(item.Path), second.RequestCount(item.Path)));
    }

    [Theory]
    [InlineData(404, true)]
    [InlineData(403, true)]
    [InlineData(503, false)]
    public async Task HealthPath_IsNotThere_SaysNothingAgainstTheServer(int status, bool isUp)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(3_000).On(upstream);
        upstream.Script("/health", UpstreamBehaviour.WithStatus(status));
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>
            {
                ["ReverseProxy:Clusters:test:HealthCheck:Active:Enabled"] = "true",
                ["ReverseProxy:Clusters:test:HealthCheck:Active:Interval"] = "00:00:00.05",
                ["ReverseProxy:Clusters:test:HealthCheck:Active:Policy"] = "ConsecutiveFailures",
                ["ReverseProxy:Clusters:test:HealthCheck:Active:Path"] = "/health",
            },
            null,
            upstream);
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Path)).Body);
        await upstream.RequestsArrivedAsync("/health", 6).WaitAsync(TimeSpan.FromSeconds(25));
        if (isUp)
        {
            Assert.Equal(Stratum1State.Answers,
                proxy.Services.GetRequiredService<Stratum1Outcomes>().StateOf(Assert.Single(Stratum1s(proxy))));
        }
        else
        {
            await Waiting.UntilAsync(() => !Stratum1Outcomes.IsUp(Stratum1s(proxy)[0]), TimeSpan.FromSeconds(25));
        }
    }

    private static IReadOnlyList<DestinationState> Stratum1s(ProxyUnderTest proxy) =>
        proxy.Services.GetRequiredService<IProxyStateLookup>().GetClusters().Single(c => c.ClusterId == "test")
        .DestinationsState.AllDestinations;
}
