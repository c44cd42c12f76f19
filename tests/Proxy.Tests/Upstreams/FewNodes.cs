using Breakwater.CacheStore;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Tests.Upstreams;

/// <summary>A site's other nodes, of which a test says who is asked; nothing else is done with them.</summary>
internal abstract class FewNodes : ISiteNodes
{
    public TimeSpan HeadTimeout => TimeSpan.FromSeconds(1);

    public string? Summary => null;

    public virtual IReadOnlyList<Stratum1> Before(in ObjectKey key) => [];

    public virtual IReadOnlyList<Stratum1> Before(string name) => [];

    public IReadOnlyList<Stratum1> Holders(in ObjectKey key) => [];

    public int ShareOf(int limit) => limit;

    public virtual void Sign(HttpRequestMessage request)
    {
    }

    public void Configure(SocketsHttpHandler handler)
    {
    }

    public void NoteAnswer(Stratum1 node)
    {
    }

    public void NoteFailure(Stratum1 node, FailureKind kind)
    {
    }

    public void NoteBorrowed(Stratum1 node, long bytes, bool isMoved)
    {
    }

    public virtual void NoteHedge()
    {
    }
}
