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

/// <summary>How the latest prefetch of a repository stands, in objects.</summary>
internal sealed record PrefetchView(int Total, int Present, int Fetched, int Failed);
