namespace Breakwater.Proxy.Admin;

/// <summary>How the latest prefetch of a repository stands, in objects.</summary>
internal sealed record PrefetchView(int Total, int Present, int Fetched, int Failed);
