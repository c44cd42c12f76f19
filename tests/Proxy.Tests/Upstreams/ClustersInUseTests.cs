using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Tests.Upstreams;

public sealed class ClustersInUseTests : IDisposable
{
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler());

    public void Dispose() => _client.Dispose();

    /// <summary>A preset counts once a client has asked for it; a probe is no client. What the site itself names always counts.</summary>
    [Theory]
    [InlineData("site", null, false, false, true)]
    [InlineData("site", "Another", false, false, true)]
    [InlineData("preset", PresetSettings.UnnamedMark, false, false, false)]
    [InlineData("preset", PresetSettings.UnnamedMark, true, false, false)]
    [InlineData("preset", PresetSettings.UnnamedMark, false, true, true)]
    [InlineData(ClusterCheck.ReservedCluster, null, false, true, false)]
    public void Has_ACluster_IsByItsSettingsAndByWhatWasAsked(string id, string? mark, bool isProbed, bool isAsked, bool expected)
    {
        var outcomes = new Stratum1Outcomes();
        DestinationState[] destinations = [Destination("s1"), Destination("s2")];
        var config = new ClusterConfig
        {
            ClusterId = id,
            Metadata = mark is null ? null : new Dictionary<string, string> { [mark] = "true" },
        };
        var cluster = new ClusterState(id, new ClusterModel(config, _client))
        {
            DestinationsState = new ClusterDestinationsState(destinations, destinations),
        };
        if (isProbed)
        {
            outcomes.NoteProbe(destinations[1], hasAnswered: true);
        }

        if (isAsked)
        {
            outcomes.NoteFailure(destinations[1]);
        }

        Assert.Equal(expected, new ClustersInUse(outcomes).Has(cluster));
    }

    private static DestinationState Destination(string id) =>
        new(id, new DestinationModel(new DestinationConfig { Address = $"http://{id}.example.org/" }));
}
