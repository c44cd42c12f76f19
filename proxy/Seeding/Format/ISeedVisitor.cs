namespace Breakwater.Proxy.Seeding.Format;

/// <summary>What a reader of a bundle hands on, in the order in which it comes.</summary>
internal interface ISeedVisitor
{
    /// <summary>A small file, its SHA-256 right.</summary>
    ValueTask OnDocumentAsync(string name, byte[] bytes, long offset, CancellationToken cancellationToken);

    /// <summary>An object begins; its bytes follow by <see cref="OnObjectBytesAsync"/>. Its digest is the visitor's to check.</summary>
    ValueTask OnObjectAsync(SeedPath path, string name, long length, long offset, CancellationToken cancellationToken);

    /// <summary>The next bytes of the object; the buffer is the visitor's only until the task is complete.</summary>
    ValueTask OnObjectBytesAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>The object has all its bytes.</summary>
    ValueTask OnObjectEndAsync(CancellationToken cancellationToken);

    /// <summary>The object before belongs to another repository as well.</summary>
    void OnLink(SeedPath path);
}
