using Breakwater.CacheStore;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Tests.Fetching;

/// <summary>A site in which another node owns everything; it answers as it is told.</summary>
internal sealed class OneNode : ISiteNodes, IAsyncDisposable
{
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler());
    private readonly NoNodes _none = new();
    private readonly Stratum1 _node;

    public OneNode()
    {
        var cluster = new ClusterState(ClusterCheck.ReservedCluster,
            new ClusterModel(new ClusterConfig { ClusterId = ClusterCheck.ReservedCluster }, _client));
        _node = new Stratum1(cluster, FetchBench.Destination("other", Server), _client);
    }

    public ScriptedUpstream Server { get; } = ScriptedUpstream.Start();

    public TimeSpan HeadTimeout => TimeSpan.FromSeconds(1);

    public string? Summary => null;

    public IReadOnlyList<Stratum1> Before(in ObjectKey key) => [_node];

    public IReadOnlyList<Stratum1> Before(string name) => [_node];

    public IReadOnlyList<Stratum1> Holders(in ObjectKey key) => [];

    public int ShareOf(int limit) => limit;

    public void Sign(HttpRequestMessage request) => _none.Sign(request);

    public void Configure(SocketsHttpHandler handler) => _none.Configure(handler);

    public void NoteAnswer(Stratum1 node) => _none.NoteAnswer(node);

    public void NoteFailure(Stratum1 node, FailureKind kind) => _none.NoteFailure(node, kind);

    public void NoteBorrowed(Stratum1 node, long bytes, bool isMoved) => _none.NoteBorrowed(node, bytes, isMoved);

    public void NoteHedge() => _none.NoteHedge();

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _client.Dispose();
    }
}
