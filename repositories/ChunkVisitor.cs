namespace Breakwater.Repositories;

/// <summary>Gets one chunk of a file that is known by its path's key; the digest is valid during the call only.</summary>
public delegate void ChunkVisitor(PathKey file, long offset, long sizeBytes, ReadOnlySpan<byte> digest);
