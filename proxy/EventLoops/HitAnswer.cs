using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;

namespace Breakwater.Proxy.EventLoops;

/// <summary>What became of a request that the hit path looked at.</summary>
internal enum HitAnswer : byte
{
    /// <summary>Not a hit, or not one for this path: Kestrel's.</summary>
    None,

    /// <summary>Answered; the kernel has every byte.</summary>
    Sent,

    /// <summary>The head and a part of the body are out, or less: the rest is in <see cref="PendingSend"/>.</summary>
    Pending,
}
