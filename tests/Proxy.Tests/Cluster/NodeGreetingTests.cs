using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Settings;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Tests.Cluster;

/// <summary>What a probe says of who sends it, and when that is a reason to look at once.</summary>
public sealed class NodeGreetingTests : IDisposable
{
    private readonly TestSite _site = new();

    public void Dispose() => _site.Dispose();

    [Theory]
    [InlineData(nameof(NodeStanding.Alive), false, true)]
    [InlineData(nameof(NodeStanding.Leaving), true, false)]
    [InlineData(nameof(NodeStanding.Dead), true, false)]
    [InlineData(nameof(NodeStanding.Foreign), false, false)]
    [InlineData(nameof(NodeStanding.Duplicate), false, false)]
    public void IsNews_OfAKnownNode_IsWhenItStandsOtherwise(string standing, bool isNewsAsMember, bool isNewsAsNone)
    {
        _site.See(_site.Node("self"), _site.Node("b", Enum.Parse<NodeStanding>(standing)));
        string instance = _site.Announcement("b").Instance;

        Assert.Equal((isNewsAsMember, isNewsAsNone), (IsNews(instance + ";member"), IsNews(instance)));
    }

    [Fact]
    public void IsNews_OfANewProcess_IsWhenItIsAMember()
    {
        _site.See(_site.Node("self"), _site.Node("b", NodeStanding.Dead));

        Assert.Equal((true, false), (IsNews("another-process-of-b;member"), IsNews("another-process-of-b")));
    }

    [Fact]
    public void IsNews_OfNobodyOrOfThisNode_IsNot()
    {
        string self = _site.Self.Announcement.Instance;
        foreach (NodeStanding standing in (NodeStanding[])[NodeStanding.Alive, NodeStanding.Dead, NodeStanding.Leaving])
        {
            _site.See(_site.Node("self", standing));
            Assert.Equal((false, false, false), (IsNews(""), IsNews(self), IsNews($"{self};member")));
        }
    }

    [Fact]
    public void CreateRequest_TowardsANode_SaysWhoAsksAndWhetherItIsAMember()
    {
        using ServiceProvider services = Services();
        IProbingRequestFactory probes = services.GetRequiredService<IProbingRequestFactory>();
        Assert.Equal(_site.Self.Announcement.Instance + ";member", GreetingOf(ClusterCheck.ReservedCluster));
        Assert.Null(GreetingOf("stratum1s"));

        _site.Self.NoteStarting();
        Assert.Equal(_site.Self.Announcement.Instance, GreetingOf(ClusterCheck.ReservedCluster));
        _site.Self.NoteStarted();
        Assert.Equal(_site.Self.Announcement.Instance + ";member", GreetingOf(ClusterCheck.ReservedCluster));
        _site.Drain.Begin();
        Assert.Equal(_site.Self.Announcement.Instance, GreetingOf(ClusterCheck.ReservedCluster));

        string? GreetingOf(string cluster)
        {
            var config = new ClusterConfig
            {
                ClusterId = cluster,
                HealthCheck = new HealthCheckConfig { Active = new ActiveHealthCheckConfig { Path = "/node/live" } },
            };
            using HttpMessageInvoker client = new(new SocketsHttpHandler());
            using HttpRequestMessage request = probes.CreateRequest(new ClusterModel(config, client), _site.Destination("b").Model);
            Assert.Equal("https://b.example.org:3129/node/live", request.RequestUri!.ToString());
            return request.Headers.TryGetValues(NodeGreeting.Field, out IEnumerable<string>? said) ? said.Single() : null;
        }
    }

    private ServiceProvider Services()
    {
        var services = new ServiceCollection();
        services.AddLogging().AddSingleton(_site.Self).AddReverseProxy();
        NodeGreeting.Add(services);
        return services.BuildServiceProvider();
    }

    private bool IsNews(string greeting) => NodeGreeting.IsNews(greeting, _site.Nodes.View);
}
