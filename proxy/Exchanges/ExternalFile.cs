using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Exchanges;

/// <summary>A file of a repository with external data: no hash names it, and any Stratum 1 of the repository may be asked for it.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Path">Path from a Stratum 1's root, as the client wrote it.</param>
/// <param name="Hint">Host that the client named, or null: it is asked first.</param>
internal sealed record ExternalFile(RepositoryRoute Repository, string Path, string? Hint);
