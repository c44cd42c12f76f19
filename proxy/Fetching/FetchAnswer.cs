using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Fetching;

/// <summary>A good head, and the way by which it came. The response is the receiver's to dispose.</summary>
internal sealed record FetchAnswer(FetchWay Way, UpstreamResponse Response);
