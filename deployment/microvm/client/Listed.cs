using Breakwater.Repositories;

namespace Breakwater.Mount;

/// <summary>One line of a directory.</summary>
/// <param name="Name">Its name's bytes.</param>
/// <param name="Entry">Its row.</param>
/// <param name="Attributes">What a file system shows of it.</param>
/// <param name="Chunks">Chunks of a hard link to a chunked file; else null.</param>
internal sealed record Listed(byte[] Name, CatalogEntry Entry, CatalogAttributes Attributes, List<CatalogChunk>? Chunks);
