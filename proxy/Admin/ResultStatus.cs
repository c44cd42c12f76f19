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

/// <summary>Requests and body bytes, since the start.</summary>
internal sealed record ResultStatus(string Result, long Requests, long Bytes);
