using System.Buffers;

namespace Breakwater.Proxy.HitPath;

/// <summary>Memory that is not the garbage collector's, for sends by the runtime's socket. One run at a time; whoever made it keeps the run alive.</summary>
internal sealed unsafe class MappedMemory : MemoryManager<byte>
{
    private byte* _start;
    private int _length;

    /// <summary>Points to another run. The earlier one must not be in use.</summary>
    public ReadOnlyMemory<byte> Over(byte* start, int length)
    {
        _start = start;
        _length = length;
        return Memory;
    }

    public override Span<byte> GetSpan() => new(_start, _length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
