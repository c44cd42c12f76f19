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

/// <summary>What the admin API tells of a repository. <paramref name="Prefetch"/> is null when nothing was fetched ahead since the start.</summary>
internal sealed record RepositoryView(
    string Repository,
    ulong? Revision,
    string Trust,
    DateTimeOffset? CheckedAt,
    DateTimeOffset? WhitelistExpiresAt,
    ulong? HeldRevision,
    string? LastRefusal,
    PrefetchView? Prefetch);
