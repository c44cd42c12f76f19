using Breakwater.CacheStore;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.Upstreams;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Tests.Fetching;

/// <summary>A site in which another node owns everything; it answers as it is told.</summary>
internal sealed class OneNode : FewNodes, IAsyncDisposable
{
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler());
    private readonly Stratum1 _node;

    public OneNode()
    {
        var cluster = new ClusterState(ClusterCheck.ReservedCluster,
            new ClusterModel(new ClusterConfig { ClusterId = ClusterCheck.ReservedCluster }, _client));
        _node = new Stratum1(cluster, FetchBench.Destination("other", Server), _client);
    }

    /// <summary>The field of what it signs.</summary>
    public const string SignedBy = "X-Signed-By";

    public ScriptedUpstream Server { get; } = ScriptedUpstream.Start();

    /// <summary>How often one more was asked because a node was silent.</summary>
    public int Hedges { get; private set; }

    public override IReadOnlyList<Stratum1> Before(in ObjectKey key) => [_node];

    public override IReadOnlyList<Stratum1> Before(string name) => [_node];

    public override void Sign(HttpRequestMessage request) => request.Headers.TryAddWithoutValidation(SignedBy, "this node");

    public override void NoteHedge() => Hedges++;

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _client.Dispose();
    }
}
