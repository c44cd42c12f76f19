using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Faster;

/// <summary>
/// One file of a log. Counted: the file's name may be removed at any time, its bytes stay readable until the last holder has released it.
/// Also the place of what is known of its entries for the life of this process: one byte an entry.
/// </summary>
internal sealed class Segment
{
    private const byte CheckedBit = 0x80;

    private readonly SafeFileHandle _handle;
    private readonly Lock _growth = new();
    private byte[] _states = new byte[256]; // replaced under _growth; bits are set without a lock: a lost hint costs one more check
    private int _count; // guarded by _growth
    private int _references = 1; // the set's own; 0: closed

    public Segment(int id, SafeFileHandle handle)
    {
        Id = id;
        _handle = handle;
    }

    /// <summary>Number of the segment: address divided by the segment's size.</summary>
    public int Id { get; }

    /// <summary>The open file; valid while a reference is held.</summary>
    public SafeFileHandle Handle => _handle;

    /// <summary>Takes a reference. False: closed already.</summary>
    public bool TryAcquire()
    {
        int seen = Volatile.Read(ref _references);
        while (seen > 0)
        {
            int before = Interlocked.CompareExchange(ref _references, seen + 1, seen);
            if (before == seen)
            {
                return true;
            }

            seen = before;
        }

        return false;
    }

    /// <summary>Gives a reference back; the last one closes the file.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            _handle.Dispose();
        }
    }

    /// <summary>A number for one more entry that the index points to.</summary>
    public uint AddEntry(bool isChecked)
    {
        lock (_growth)
        {
            int ordinal = _count++;
            if (ordinal >= _states.Length)
            {
                Array.Resize(ref _states, _states.Length * 2);
            }

            if (isChecked)
            {
                _states[ordinal] = CheckedBit;
            }

            return (uint)ordinal;
        }
    }

    /// <summary>Was the entry's checksum found right in this process?</summary>
    public bool IsChecked(uint ordinal) => (Volatile.Read(ref _states)[ordinal] & CheckedBit) != 0;

    /// <summary>The entry's checksum is right.</summary>
    public void SetChecked(uint ordinal) => Volatile.Read(ref _states)[ordinal] |= CheckedBit;
}
