using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore;

/// <summary>
/// A read handle on one object: its bytes cannot vanish while it is held, whatever is evicted meanwhile. Dispose to return it.
/// Reads are thread-safe; dispose once, after the last read.
/// </summary>
public abstract class ObjectLease : IDisposable
{
    /// <summary>
    /// Up to this length <see cref="TryReadWhole"/> reads an object: 64 KiB, nine of ten objects of CernVM-FS. What is checked when:
    /// docs/develop/adr/0104-what-a-hit-checks.md.
    /// </summary>
    public const int MaxWholeBytes = 64 << 10;

    /// <summary>
    /// From this length on an object is sent from its file (sendfile), 32 KiB. Shorter ones cost less in one gathered send (measured,
    /// docs/develop/adr/0163-hits-of-32-kib-go-by-sendfile.md).
    /// </summary>
    public const int LeastBytesFromFile = 32 << 10;

    /// <summary>A longer object is stored in parts of this length, bytes; each of them is checked by itself.</summary>
    public const int PartBytes = PartSize.Full;

    /// <summary>The object's identity.</summary>
    public abstract ObjectKey Key { get; }

    /// <summary>Length in bytes.</summary>
    public abstract long Length { get; }

    /// <summary>
    /// Reads from <paramref name="offset"/> into <paramref name="buffer"/> as much as is there, without waiting for a cold disk.
    /// </summary>
    /// <returns>Bytes read, at least 1 (0 only at the end of the object); −1 when the bytes are not in memory: use
    /// <see cref="ReadAsync"/>.</returns>
    /// <exception cref="IOException">The bytes are damaged or unreadable; the store has forgotten the object.</exception>
    public abstract int TryRead(long offset, Span<byte> buffer);

    /// <summary>Reads from <paramref name="offset"/> into <paramref name="buffer"/>, from disk if need be.</summary>
    /// <returns>Bytes read, at least 1; 0 only at the end of the object.</returns>
    /// <exception cref="IOException">The bytes are damaged or unreadable; the store has forgotten the object.</exception>
    public abstract ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken = default);

    /// <summary>
    /// All bytes of an object of at most <see cref="MaxWholeBytes"/>, checked just now, in pinned memory of the calling thread: to be used
    /// before it reads from any other lease. What is sent from there is what was checked, whatever happens to the file meanwhile.
    /// </summary>
    /// <returns>False: the object is longer, or its bytes are not in memory: use <see cref="ReadAsync"/>.</returns>
    /// <exception cref="IOException">The bytes are damaged or unreadable; the store has forgotten the object.</exception>
    public abstract bool TryReadWhole(out ReadOnlySpan<byte> bytes);

    /// <summary>
    /// Where the bytes at <paramref name="offset"/> lie in a file, for zero-copy sends. False: they are in memory that is none, or are to
    /// be checked (again): read them once by the other members. Valid until <see cref="Unmap"/>.
    /// </summary>
    public abstract bool TryGetFileRange(long offset, out ObjectFileRange range);

    /// <summary>
    /// Where the bytes at <paramref name="offset"/> lie in memory mapped from their file, for sends without a copy of our own. False as for
    /// <see cref="TryGetFileRange"/>. Only the kernel should touch it (send, writev): for it a failing disk is an error code, for a load
    /// instruction it is a signal that ends the process. Valid until <see cref="Unmap"/>.
    /// </summary>
    public virtual bool TryGetMapped(long offset, out MappedRun run)
    {
        run = default;
        return false;
    }

    /// <summary>
    /// What <see cref="TryGetFileRange"/> and <see cref="TryGetMapped"/> told so far is not used any more: memory that only this lease
    /// holds may go.
    /// </summary>
    public virtual void Unmap()
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Returns what is held.</summary>
    protected abstract void Dispose(bool disposing);
}
