using Breakwater.CacheStore.Disk;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Staging;

/// <summary>
/// Memory that is a file as well (memfd), so that what lies in it is sent without a copy (sendfile). The network refers to its pages until
/// the client has the bytes, so no byte of it is ever written twice: it goes as a whole, with the last who holds a part of it
/// (docs/develop/adr/0162-staged-bodies-are-sent-without-a-copy.md). Thread-safe.
/// </summary>
internal sealed unsafe class MemoryFile
{
    /// <summary>1 MiB: what one straggler keeps at most.</summary>
    public const int SizeBytes = 1 << 20;

    private const int PageBytes = 4096;

    private readonly MappedMemory _memory;
    private ReferenceCount _references = new(); // the maker's, and one for each part
    private int _used; // guarded by the caller of TryTake

    private MemoryFile(MappedMemory memory) => _memory = memory;

    /// <summary>The file.</summary>
    public SafeFileHandle Handle => _memory.Handle;

    /// <summary>Makes one, with the maker's hold. Null: the system has no such files, or no memory for one.</summary>
    public static MemoryFile? TryMake() => MappedMemory.TryMake(SizeBytes) is { } memory ? new MemoryFile(memory) : null;

    /// <summary>
    /// Takes a part that nobody had before, and a hold. One caller at a time. False: there is not so much left, or the file has gone with
    /// its last part.
    /// </summary>
    public bool TryTake(int bytes, out byte* start)
    {
        start = _memory.Start + _used;
        int taken = (bytes + PageBytes - 1) / PageBytes * PageBytes;
        if (_used + taken > SizeBytes || !_references.TryAcquire())
        {
            return false;
        }

        _used += taken;
        return true;
    }

    /// <summary>Where a byte of it is in the file.</summary>
    public long OffsetOf(byte* place) => place - _memory.Start;

    /// <summary>Lets go of a part, or of the maker's hold.</summary>
    public void Release()
    {
        if (_references.Release())
        {
            _memory.Dispose();
        }
    }
}
