namespace Breakwater.Proxy.Commands.Publish.Tree;

/// <summary>A piece of a file.</summary>
/// <param name="SizeBytes">Its length.</param>
/// <param name="Digest">SHA-1 of its object.</param>
internal readonly record struct FileChunk(long SizeBytes, byte[] Digest);
