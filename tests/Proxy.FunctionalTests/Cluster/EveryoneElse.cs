using Breakwater.CacheStore;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.FunctionalTests.Cluster;

/// <summary>Nodes of which always another one is the owner.</summary>
internal sealed class EveryoneElse : ISiteNodes
{
    private readonly NoNodes _none = new();

    public TimeSpan HeadTimeout => TimeSpan.FromSeconds(1);

    public string? Summary => null;

    public IReadOnlyList<Stratum1> Before(in ObjectKey key) => [null!];

    public IReadOnlyList<Stratum1> Before(string name) => [null!];

    public IReadOnlyList<Stratum1> Holders(in ObjectKey key) => [];

    public int ShareOf(int limit) => limit;

    public void Sign(HttpRequestMessage request) => _none.Sign(request);

    public void Configure(SocketsHttpHandler handler) => _none.Configure(handler);

    public void NoteAnswer(Stratum1 node) => _none.NoteAnswer(node);

    public void NoteFailure(Stratum1 node, FailureKind kind) => _none.NoteFailure(node, kind);

    public void NoteBorrowed(Stratum1 node, long bytes, bool isMoved) => _none.NoteBorrowed(node, bytes, isMoved);

    public void NoteHedge() => _none.NoteHedge();
}
