using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Disk;

/// <summary>A file that is memory alone (memfd), mapped for reading and writing.</summary>
internal sealed unsafe class MappedMemory : IDisposable
{
    private readonly long _bytes;

    private MappedMemory(SafeFileHandle handle, byte* start, long bytes)
    {
        Handle = handle;
        Start = start;
        _bytes = bytes;
    }

    /// <summary>The file.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Its first byte.</summary>
    public byte* Start { get; }

    /// <summary>Makes one. Null: the system has no such files, or no memory for one.</summary>
    public static MappedMemory? TryMake(long bytes)
    {
        if (Posix.MakeMemoryFile(bytes) is not { } handle)
        {
            return null;
        }

        nint start = Posix.MapWritable(handle, bytes);
        if (start == 0)
        {
            handle.Dispose();
            return null;
        }

        return new MappedMemory(handle, (byte*)start, bytes);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Posix.Unmap((nint)Start, _bytes);
        Handle.Dispose();
    }
}
