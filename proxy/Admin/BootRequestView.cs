using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Observability.AccessLogs;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Yarp.ReverseProxy;

namespace Breakwater.Proxy.Admin;

/// <summary>A request of a boot, with its file when that is known.</summary>
internal sealed record BootRequestView(int StartMs, int DurationMs, ByteSource Source, string Result, long Bytes, string What);
