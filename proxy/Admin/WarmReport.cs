using System.Runtime.CompilerServices;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Admin;

/// <summary>How warming stands; the last one has <paramref name="IsDone"/>.</summary>
internal sealed record WarmReport(int Total, int Present, int Fetched, int Failed, bool IsDone, string? Problem)
{
    /// <summary>Paths asked for that the snapshot does not have, the first thousand; in the last report.</summary>
    public IReadOnlyList<string>? Unmatched { get; init; }
}
