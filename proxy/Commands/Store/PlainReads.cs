using Breakwater.CacheStore;

namespace Breakwater.Proxy.Commands.Store;

/// <summary>
/// pread of the very bytes that the store reads: the same files, the same offsets, and so the same pages of the page cache. Not
/// thread-safe; dispose to let go of the objects.
/// </summary>
internal sealed class PlainReads : IDisposable
{
    private readonly List<ObjectLease> _leases = [];
    private readonly List<ObjectFileRange[]> _ranges = [];
    private readonly byte[] _buffer;

    /// <summary>Finds where stored objects lie.</summary>
    /// <param name="store">Where they are.</param>
    /// <param name="keys">Objects that are committed.</param>
    /// <param name="buffer">What is read goes here; as long as a part of an object or longer.</param>
    /// <exception cref="InvalidOperationException">An object is not there, or not in a file.</exception>
    public PlainReads(IObjectStore store, IEnumerable<ObjectKey> keys, byte[] buffer)
    {
        _buffer = buffer;
        foreach (ObjectKey key in keys)
        {
            if (!store.TryOpen(key, out ObjectLease? lease))
            {
                throw new InvalidOperationException($"{key} is gone.");
            }

            _leases.Add(lease);
            List<ObjectFileRange> ranges = [];
            for (long offset = 0; offset < lease.Length; offset += ranges[^1].Length)
            {
                _ = lease.ReadAsync(offset, buffer).AsTask().GetAwaiter().GetResult(); // checks it: only then is its place told
                ranges.Add(lease.TryGetFileRange(offset, out ObjectFileRange range)
                    ? range
                    : throw new InvalidOperationException($"{key} is not in a file."));
            }

            _ranges.Add([.. ranges]);
        }
    }

    /// <summary>Reads the object of that number whole.</summary>
    public void Read(int index)
    {
        foreach (ObjectFileRange range in _ranges[index])
        {
            for (int done = 0; done < range.Length;)
            {
                done += RandomAccess.Read(range.Handle, _buffer.AsSpan(0, range.Length - done), range.FileOffset + done);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _leases.ForEach(static lease => lease.Dispose());
}
