namespace Breakwater.Proxy.Commands.Publish.Tree;

/// <summary>Where a file's bytes are in the repository: one object, or chunks in the file's order. Immutable.</summary>
internal sealed class FileContent
{
    /// <summary>One object.</summary>
    public FileContent(byte[] digest) => Digest = digest;

    /// <summary>Two chunks or more.</summary>
    public FileContent(FileChunk[] chunks) => Chunks = chunks;

    /// <summary>SHA-1 of the object; empty for a file in chunks.</summary>
    public byte[] Digest { get; } = [];

    /// <summary>The chunks; empty for a file in one object.</summary>
    public FileChunk[] Chunks { get; } = [];
}
