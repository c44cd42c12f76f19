namespace Breakwater.Proxy.Commands.Cluster;

/// <summary>A certificate that is there after the command.</summary>
/// <param name="Name">The node, or the authority's name.</param>
/// <param name="File">Where it is.</param>
/// <param name="ValidUntil">When it ends.</param>
/// <param name="IsNew">Was it made just now? Else it was there.</param>
internal sealed record WrittenCertificate(string Name, string File, DateTimeOffset ValidUntil, bool IsNew);
