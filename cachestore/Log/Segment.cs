using System.Diagnostics;
using Breakwater.CacheStore.Disk;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Log;

/// <summary>
/// One file of a log. Counted: the file's name may be removed at any time, its bytes stay readable until the last holder has released it.
/// Also the place of what is known of its entries for the life of this process: one byte an entry. What was found right of them counts for
/// one <see cref="Generation"/> of the file.
/// </summary>
internal sealed class Segment
{
    /// <summary>Uses of an entry beyond this are not counted: what was hot last month may cool down within a few rounds.</summary>
    public const int MostUses = 3;

    private const byte CheckedBit = 0x80;
    private const byte FrequencyMask = 0x0f;

    /// <summary>
    /// A generation ends after so long: the system may take pages out of memory and read other bytes back, and tells nobody.
    /// </summary>
    internal static readonly TimeSpan GenerationLasts = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long the file is believed to be as it was when it was looked at: a busy server asks once for several hits (ADR 104).
    /// </summary>
    internal static readonly TimeSpan LookLasts = TimeSpan.FromMicroseconds(100);

    /// <summary>What a change of the file adds to the generation: more than anybody goes back.</summary>
    private const int Change = 1000;

    private readonly SafeFileHandle _handle;
    private readonly StoreDisk _disk;
    private readonly Lock _growth = new();
    private byte[] _states = new byte[256]; // replaced under _growth; bits are set without a lock: a lost hint costs one more check
    private int _count; // guarded by _growth
    private ReferenceCount _references = new(); // the first one is the set's own
    private nint _mapping; // set once under _growth; 0: not mapped, −1: cannot be
    private long _mappedBytes; // guarded by _growth
    private ulong _stamp; // of the file after our last write; written under _growth. 0: not known yet
    private long _since; // beginning of the generation; written under _growth
    private long _lookedAt; // a Stopwatch's timestamp: how long a look lasts is no matter of the clock that the store is given
    private int _generation = Change; // written under _growth
    private volatile bool _isBeingWritten; // by us; written under _growth

    public Segment(int id, SafeFileHandle handle, StoreDisk disk)
    {
        Id = id;
        _handle = handle;
        _disk = disk;
    }

    /// <summary>Number of the segment: address divided by the segment's size.</summary>
    public int Id { get; }

    /// <summary>Is its table on disk?</summary>
    public bool HasTable { get; set; }

    /// <summary>The open file; valid while a reference is held.</summary>
    public SafeFileHandle Handle => _handle;

    /// <summary>Takes a reference. False: closed already.</summary>
    public bool TryAcquire() => _references.TryAcquire();

    /// <summary>Gives a reference back; the last one closes the file.</summary>
    public void Release()
    {
        if (_references.Release())
        {
            if (_mapping > 0)
            {
                _disk.Unmap(_mapping, _mappedBytes);
            }

            _handle.Dispose();
        }
    }

    /// <summary>
    /// Which generation of the file this is: the next one begins after <see cref="GenerationLasts"/>, and one that is far from it when
    /// somebody else wrote to the file or cut it. What was found right was so in the generation that was asked for before the bytes were
    /// read.
    /// </summary>
    public int Generation(TimeProvider time)
    {
        bool isOld = time.GetElapsedTime(Volatile.Read(ref _since)) >= GenerationLasts;
        if (isOld || HasChanged())
        {
            lock (_growth)
            {
                LookLocked();
                if (time.GetElapsedTime(_since) >= GenerationLasts)
                {
                    Volatile.Write(ref _since, time.GetTimestamp());
                    BeginGenerationLocked(1);
                }
            }
        }

        return Volatile.Read(ref _generation);
    }

    /// <summary>
    /// Writes to the file. All writes of the store to its segments pass here: others are taken for somebody else's. One writer at a time.
    /// </summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        lock (_growth)
        {
            LookLocked();
            _isBeingWritten = true;
        }

        try
        {
            _disk.Write(_handle, bytes, offset);
        }
        finally
        {
            lock (_growth)
            {
                Volatile.Write(ref _stamp, _disk.StampOf(_handle));
                _isBeingWritten = false;
            }
        }
    }

    private bool HasChanged()
    {
        long now = Stopwatch.GetTimestamp();
        if (_isBeingWritten || Stopwatch.GetElapsedTime(Volatile.Read(ref _lookedAt), now) < LookLasts)
        {
            return false;
        }

        if (_disk.StampOf(_handle) != Volatile.Read(ref _stamp))
        {
            return true;
        }

        Volatile.Write(ref _lookedAt, now);
        return false;
    }

    private void LookLocked()
    {
        ulong stamp = _isBeingWritten ? _stamp : _disk.StampOf(_handle);
        if (stamp == _stamp)
        {
            return;
        }

        if (_stamp != 0)
        {
            BeginGenerationLocked(Change);
        }

        Volatile.Write(ref _stamp, stamp);
    }

    private void BeginGenerationLocked(int step)
    {
        Volatile.Write(ref _generation, unchecked(_generation + step));
        foreach (ref byte state in _states.AsSpan(0, _count))
        {
            state &= FrequencyMask;
        }
    }

    /// <summary>
    /// Maps the file, once, read-only and shared; valid while a reference is held. 0: the system refuses (too many mappings).
    /// </summary>
    /// <param name="bytes">The segment's full size: what the file does not have yet must not be touched.</param>
    public nint Map(long bytes)
    {
        nint mapping = Volatile.Read(ref _mapping);
        if (mapping == 0)
        {
            lock (_growth)
            {
                if (_mapping == 0)
                {
                    _mappedBytes = bytes;
                    nint made = _disk.Map(_handle, bytes);
                    Volatile.Write(ref _mapping, made > 0 ? made : -1);
                }

                mapping = _mapping;
            }
        }

        return Math.Max(mapping, 0);
    }

    /// <summary>
    /// A number for one more entry that the index points to. It is not checked, even if it was written a moment ago: until it was durable
    /// the file may have been changed.
    /// </summary>
    public uint AddEntry(int frequency = 0)
    {
        lock (_growth)
        {
            uint ordinal = AddLocked(1);
            _states[ordinal] = (byte)frequency;
            return ordinal;
        }
    }

    /// <summary>Numbers for more entries, none of them checked. Returns the first.</summary>
    public uint AddEntries(int count)
    {
        lock (_growth)
        {
            return AddLocked(count);
        }
    }

    private uint AddLocked(int count)
    {
        int first = _count;
        _count += count;
        if (_count > _states.Length)
        {
            Array.Resize(ref _states, Math.Max(_count, _states.Length * 2));
        }

        return (uint)first;
    }

    /// <summary>Was the entry's checksum found right in this generation? Ask for that first.</summary>
    public bool IsChecked(uint ordinal) => (Volatile.Read(ref _states)[ordinal] & CheckedBit) != 0;

    /// <summary>The checksum of the entry as it was read in a generation is right.</summary>
    public void SetChecked(uint ordinal, int generation)
    {
        lock (_growth)
        {
            _states[ordinal] |= generation == _generation ? CheckedBit : (byte)0;
        }
    }

    /// <summary>How often the entry's object was asked for since it was written, up to <see cref="MostUses"/>.</summary>
    public int FrequencyOf(uint ordinal) => Volatile.Read(ref _states)[ordinal] & FrequencyMask;

    /// <summary>The entry's object was asked for.</summary>
    public void CountUse(uint ordinal)
    {
        ref byte state = ref Volatile.Read(ref _states)[ordinal];
        if ((state & FrequencyMask) < MostUses)
        {
            state++;
        }
    }

    /// <summary>Sets what <see cref="FrequencyOf"/> says.</summary>
    public void SetFrequency(uint ordinal, int frequency)
    {
        ref byte state = ref Volatile.Read(ref _states)[ordinal];
        state = (byte)((state & ~FrequencyMask) | frequency);
    }
}
