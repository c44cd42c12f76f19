using Breakwater.CacheStore;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Upstreams;

/// <summary>A single node: there are no others.</summary>
internal sealed class NoNodes : ISiteNodes
{
    public TimeSpan HeadTimeout => TimeSpan.Zero;

    public string? Summary => null;

    public IReadOnlyList<Stratum1> Before(in ObjectKey key) => [];

    public IReadOnlyList<Stratum1> Before(string name) => [];

    public IReadOnlyList<Stratum1> Holders(in ObjectKey key) => [];

    public int ShareOf(int limit) => limit;

    public void Sign(HttpRequestMessage request)
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

    public void NoteHedge()
    {
    }
}
