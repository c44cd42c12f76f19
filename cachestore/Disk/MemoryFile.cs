using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Disk;

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

    private readonly byte* _start;
    private int _holders = 1;
    private int _used; // guarded by the caller of TryTake

    private MemoryFile(SafeFileHandle handle, byte* start)
    {
        Handle = handle;
        _start = start;
    }

    /// <summary>The file.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Makes one, with the maker's hold. Null: the system has no such files, or no memory for one.</summary>
    public static MemoryFile? TryMake()
    {
        if (Posix.MakeMemoryFile(SizeBytes) is not { } handle)
        {
            return null;
        }

        nint start = Posix.MapWritable(handle, SizeBytes);
        if (start == 0)
        {
            handle.Dispose();
            return null;
        }

        return new MemoryFile(handle, (byte*)start);
    }

    /// <summary>
    /// Takes a part that nobody had before, and a hold. One caller at a time. False: there is not so much left, or the file has gone with
    /// its last part.
    /// </summary>
    public bool TryTake(int bytes, out byte* start)
    {
        start = _start + _used;
        int taken = (bytes + PageBytes - 1) / PageBytes * PageBytes;
        if (_used + taken > SizeBytes || !TryHold())
        {
            return false;
        }

        _used += taken;
        return true;
    }

    /// <summary>Where a byte of it is in the file.</summary>
    public long OffsetOf(byte* place) => place - _start;

    /// <summary>Lets go of a part, or of the maker's hold.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            Posix.Unmap((nint)_start, SizeBytes);
            Handle.Dispose();
        }
    }

    private bool TryHold()
    {
        int seen = Volatile.Read(ref _holders);
        while (seen > 0)
        {
            int before = Interlocked.CompareExchange(ref _holders, seen + 1, seen);
            if (before == seen)
            {
                return true;
            }

            seen = before;
        }

        return false;
    }
}
