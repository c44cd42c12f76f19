using Breakwater.CacheStore;
using Breakwater.Proxy.Tests.Upstreams;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.FunctionalTests.Cluster;

/// <summary>Nodes of which always another one is the owner.</summary>
internal sealed class EveryoneElse : FewNodes
{
    public override IReadOnlyList<Stratum1> Before(in ObjectKey key) => [null!];

    public override IReadOnlyList<Stratum1> Before(string name) => [null!];
}
