using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Snapshots;

namespace Breakwater.Proxy.Guessing;

/// <summary>What every session works with.</summary>
internal sealed record GuessServices(
    SnapshotSource Snapshots, ObjectReader Objects, Prefetcher Prefetcher, SignedDocuments Documents, TimeProvider Time);
