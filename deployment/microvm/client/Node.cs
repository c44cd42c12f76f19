using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Mount;

/// <summary>A file or directory that the kernel knows by a number. Its <see cref="References"/> are guarded by the table.</summary>
internal sealed class Node
{
    /// <summary>Its number.</summary>
    public required ulong Id { get; init; }

    /// <summary>Absolute path as bytes; the root is empty.</summary>
    public required byte[] Path { get; init; }

    /// <summary>Its row.</summary>
    public required CatalogEntry Entry { get; init; }

    /// <summary>What a file system shows of it.</summary>
    public required CatalogAttributes Attributes { get; init; }

    /// <summary>The catalog of its row.</summary>
    public required ObjectKey Catalog { get; init; }

    /// <summary>Which file it is: names with the same identity are hard links of each other.</summary>
    public required ObjectKey Identity { get; init; }

    /// <summary>How often the kernel was told of it and has not yet forgotten it.</summary>
    public ulong References { get; set; }

    /// <summary>Its chunks once they were read.</summary>
    public List<CatalogChunk>? Chunks { get; set; }
}
