using System.IO.Hashing;
using System.Runtime.InteropServices;
using Breakwater.CacheStore.Disk;
using FASTER.core;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Log;

/// <summary>
/// The file <c>commit</c> of a log: two slots, written in turn, so that a torn write leaves the other one. FASTER calls it as its
/// commit manager; recovery reads it without FASTER.
/// </summary>
internal sealed class CommitRecord : ILogCommitManager
{
    private const uint MagicNumber = 0x31435742; // "BWC1"
    private const int SlotBytes = 4096;

    private readonly SafeFileHandle _file;
    private readonly StoreDisk _disk;
    private readonly DiskHealth _health;
    private readonly int _pageSizeBits;
    private readonly int _segmentSizeBits;
    private long _sequence; // FASTER commits one at a time
    private volatile bool _isClosing;

    public CommitRecord(string directory, int pageSizeBits, int segmentSizeBits, StoreDisk disk, DiskHealth health)
    {
        _disk = disk;
        _health = health;
        _pageSizeBits = pageSizeBits;
        _segmentSizeBits = segmentSizeBits;
        _file = disk.Open(PathIn(directory));
        _sequence = TryReadNewest(_file, disk, out Slot newest, out bool isReadable) ? newest.Sequence : 0;
        if (!isReadable)
        {
            // A slot that cannot be read now may be read again some day, and must not be taken for newer than ours.
            _file.Dispose();
            disk.Delete(PathIn(directory));
            _file = disk.Open(PathIn(directory));
        }

        ReserveSlots();
        disk.SyncDirectory(directory);
    }

    public static string PathIn(string directory) => Path.Combine(directory, "commit");

    /// <summary>
    /// Reads the newest undamaged slot. False: there is none, or the disk refuses to read one, which may be the newest: then the segments
    /// tell what there is.
    /// </summary>
    public static bool TryRead(string directory, StoreDisk disk, out CommittedRange range)
    {
        range = default;
        if (!disk.HasFile(PathIn(directory)))
        {
            return false;
        }

        using SafeFileHandle file = disk.Open(PathIn(directory));
        if (!TryReadNewest(file, disk, out Slot slot, out bool isReadable) || !isReadable)
        {
            return false;
        }

        range = new CommittedRange(slot.Begin, slot.Until, slot.PageSizeBits, slot.SegmentSizeBits);
        return true;
    }

    public void Commit(long beginAddress, long untilAddress, byte[] commitMetadata, long commitNum, bool forceWriteMetadata)
    {
        while (!TryWrite(beginAddress, untilAddress) && !_isClosing)
        {
            _health.WaitBeforeRetry();
        }
    }

    public byte[] GetCommitMetadata(long commitNum) => [];

    public IEnumerable<long> ListCommits() => [];

    public void RemoveCommit(long commitNum)
    {
    }

    public void RemoveAllCommits()
    {
    }

    public void OnRecovery(long commitNum)
    {
    }

    /// <summary>Ends a commit that waits for a disk that refuses writes.</summary>
    public void StopRetrying() => _isClosing = true;

    public void Dispose() => _file.Dispose();

    /// <summary>Room for both: a commit, by which an eviction becomes effective, must not need any on a full disk.</summary>
    private void ReserveSlots()
    {
        try
        {
            _disk.Reserve(_file, 0, 2 * SlotBytes);
        }
        catch (IOException)
        {
            // It is full already; the write of a slot says so.
        }
    }

    private bool TryWrite(long begin, long until)
    {
        Slot slot = new(_sequence + 1, begin, until, _pageSizeBits, _segmentSizeBits);
        byte[] bytes = new byte[SlotBytes];
        MemoryMarshal.Write(bytes, in slot);
        try
        {
            _disk.Write(_file, bytes, (slot.Sequence & 1) * SlotBytes);
            _disk.Sync(_file);
            _sequence++;
            _health.ReportSuccess();
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            _health.Report(failure);
            return false;
        }
    }

    private static bool TryReadNewest(SafeFileHandle file, StoreDisk disk, out Slot newest, out bool isReadable)
    {
        newest = default;
        isReadable = true;
        byte[] bytes = new byte[2 * SlotBytes];
        for (int i = 0; i < 2; i++)
        {
            Span<byte> place = bytes.AsSpan(i * SlotBytes, SlotBytes);
            try
            {
                disk.ReadFully(file, place, i * SlotBytes); // what the file does not have is zero, and no slot
            }
            catch (IOException)
            {
                isReadable = false;
                continue;
            }

            Slot slot = MemoryMarshal.Read<Slot>(place);
            if (slot.IsValid && slot.Sequence > newest.Sequence)
            {
                newest = slot;
            }
        }

        if (newest.Sequence == 0 && (IsOfOtherVersion(bytes) || IsOfOtherVersion(bytes.AsSpan(SlotBytes))))
        {
            throw new StoreFormatException($"another version of the store wrote them (this one reads format {(char)(MagicNumber >> 24)})");
        }

        return newest.Sequence > 0;
    }

    private static bool IsOfOtherVersion(ReadOnlySpan<byte> slot) =>
        slot[..3].SequenceEqual("BWC"u8) && slot[3] != (byte)(MagicNumber >> 24) && slot[3] is >= (byte)'0' and <= (byte)'z';

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Slot
    {
        private readonly uint _magic;
        public readonly int PageSizeBits;
        public readonly long Sequence;
        public readonly long Begin;
        public readonly long Until;
        public readonly int SegmentSizeBits;
        private readonly int _reserved;
        private readonly ulong _checksum;

        public Slot(long sequence, long begin, long until, int pageSizeBits, int segmentSizeBits)
        {
            _magic = MagicNumber;
            PageSizeBits = pageSizeBits;
            Sequence = sequence;
            Begin = begin;
            Until = until;
            SegmentSizeBits = segmentSizeBits;
            _reserved = 0;
            _checksum = ComputeChecksum();
        }

        public readonly bool IsValid =>
            _magic == MagicNumber && _checksum == ComputeChecksum() && Begin >= 0 && Until >= Begin
            && PageSizeBits is >= 12 and <= 30 && SegmentSizeBits >= PageSizeBits && SegmentSizeBits <= 40;

        private readonly ulong ComputeChecksum() =>
            XxHash3.HashToUInt64(MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(in this, 1))[..^sizeof(ulong)]);
    }
}
