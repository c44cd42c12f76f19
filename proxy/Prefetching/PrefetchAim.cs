using System.Buffers;
using System.Diagnostics;
using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Prefetching;

/// <summary>What a prefetch is for.</summary>
internal enum PrefetchAim : byte
{
    /// <summary>The store has it when clients come.</summary>
    Store,

    /// <summary>So has the page cache.</summary>
    Memory,

    /// <summary>As <see cref="Memory"/>, for clients that boot now and ask for it in a moment: it gives way to nobody.</summary>
    Boot,
}
