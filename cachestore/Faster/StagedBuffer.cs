using System.Buffers;
using System.Runtime.InteropServices;

namespace Breakwater.CacheStore.Faster;

/// <summary>Pooled memory of one part. Counted: goes back to the pool when the last reader has let go. Thread-safe.</summary>
internal sealed class StagedBuffer(int minimumBytes) : IDisposable
{
    private readonly byte[] _bytes = ArrayPool<byte>.Shared.Rent(minimumBytes);
    private int _references = 1;
    private GCHandle _pin; // guarded by the array; allocated when somebody sends from it

    public byte[] Bytes => _bytes;

    /// <summary>Takes a reference; the caller knows that one is held (under the owner's lock).</summary>
    public void Acquire() => Interlocked.Increment(ref _references);

    /// <summary>The bytes' address, fixed until the last reference is let go. The caller holds one.</summary>
    public nint Pin()
    {
        lock (_bytes)
        {
            if (!_pin.IsAllocated)
            {
                _pin = GCHandle.Alloc(_bytes, GCHandleType.Pinned);
            }

            return _pin.AddrOfPinnedObject();
        }
    }

    /// <summary>Lets a reference go.</summary>
    public void Dispose()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            if (_pin.IsAllocated)
            {
                _pin.Free();
            }

            ArrayPool<byte>.Shared.Return(_bytes);
        }
    }
}
