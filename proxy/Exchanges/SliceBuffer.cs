using System.Buffers;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// One slice of a body in memory, while it grows and until the store has it. Counted: the last who lets it go gives the memory back.
/// </summary>
/// <param name="index">Its number in the body.</param>
/// <param name="capacity">Bytes at most.</param>
internal sealed class SliceBuffer(long index, int capacity)
{
    private readonly byte[] _bytes = ArrayPool<byte>.Shared.Rent(capacity);
    private int _filled;
    private int _holds = 1;

    /// <summary>Its number in the body.</summary>
    public long Index => index;

    /// <summary>Offset of its first byte in the body.</summary>
    public long Start => index * BodySlice.SizeBytes;

    /// <summary>Bytes in it.</summary>
    public int Filled => Volatile.Read(ref _filled);

    /// <summary>Is there no more room?</summary>
    public bool IsFull => _filled == capacity;

    /// <summary>Where the next bytes go (the writer only).</summary>
    public Memory<byte> Room => _bytes.AsMemory(_filled, capacity - _filled);

    /// <summary>Its bytes.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, Filled);

    /// <summary>So many bytes were put into <see cref="Room"/>.</summary>
    public void Advance(int count) => Volatile.Write(ref _filled, _filled + count);

    /// <summary>One more holds it; only while another does.</summary>
    public void Hold() => Interlocked.Increment(ref _holds);

    /// <summary>Lets it go.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holds) == 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }
    }
}
