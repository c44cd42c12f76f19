using Breakwater.CacheStore.Staging;

namespace Breakwater.CacheStore.Store;

/// <summary>A lease on an object that is verified and not durable yet.</summary>
internal sealed class StagedLease(StagedObject staged) : ObjectLease
{
    private int _isDisposed; // the caller's hold passes to the lease
    private List<StagedBuffer>? _mapped; // held: memory that was handed out

    public override ObjectKey Key => staged.Key;

    public override long Length => staged.Length;

    public override int TryRead(long offset, Span<byte> buffer) => staged.TryRead(offset, buffer);

    public override bool TryReadWhole(out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (Length > MaxWholeBytes)
        {
            return false;
        }

        Span<byte> whole = LeaseScratch.Bytes[..(int)Length];
        int read = staged.TryRead(0, whole);
        bytes = whole;
        return read == whole.Length;
    }

    public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        staged.ReadAsync(offset, buffer, cancellationToken);

    public override bool TryGetFileRange(long offset, out ObjectFileRange range)
    {
        bool isThere = staged.TryGetFileRange(offset, out range, out StagedBuffer? held);
        Hold(held);
        return isThere;
    }

    public override bool TryGetMapped(long offset, out MappedRun run)
    {
        if (!staged.TryGetMapped(offset, out run, out StagedBuffer? held))
        {
            return false;
        }

        Hold(held);
        return true;
    }

    public override void Unmap()
    {
        foreach (StagedBuffer buffer in _mapped ?? [])
        {
            buffer.Release();
        }

        _mapped?.Clear();
    }

    private void Hold(StagedBuffer? buffer)
    {
        if (buffer is not null)
        {
            (_mapped ??= []).Add(buffer);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            Unmap();
            staged.Release();
        }
    }
}
