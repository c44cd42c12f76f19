namespace Breakwater.Mount;

/// <summary>One way to a repository: a server, and the proxy in front of it.</summary>
/// <param name="Server">Base address with the repository's name, without a slash at its end.</param>
/// <param name="Proxy">The proxy; null: none.</param>
internal sealed record Route(string Server, Uri? Proxy);
