using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Breakwater.CacheStore.Disk;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Log;

/// <summary>
/// The files of one log, by number: those that FASTER appends to (fresh), and those that the cleaner made of what was worth keeping (kept),
/// whose numbers begin at <see cref="FirstKeptId"/>. An address names both file and offset; no address is ever used twice. Thread-safe.
/// </summary>
internal sealed class SegmentSet : IDisposable
{
    /// <summary>Numbers from here on are kept segments.</summary>
    public const int FirstKeptId = 1 << 30;

    private const string Extension = ".seg";
    private const string KeptPrefix = "kept-";

    private readonly ConcurrentDictionary<int, Segment> _segments = new();
    private readonly Lock _opening = new();
    private readonly StoreDisk _disk;

    public SegmentSet(string directory, int segmentSizeBits, StoreDisk disk)
    {
        DirectoryPath = directory;
        SegmentSizeBits = segmentSizeBits;
        _disk = disk;
        disk.MakeFolder(directory);
        foreach (string path in disk.FilesOf(directory, "*" + Extension))
        {
            if (TryParseId(Path.GetFileNameWithoutExtension(path), out int id))
            {
                _segments[id] = new Segment(id, disk.Open(path), disk);
            }
        }
    }

    public string DirectoryPath { get; }

    public int SegmentSizeBits { get; }

    public StoreDisk Disk => _disk;

    public long SegmentBytes => 1L << SegmentSizeBits;

    /// <summary>Numbers of the fresh segments that are there, ascending.</summary>
    public IReadOnlyList<int> FreshIds => [.. _segments.Keys.Where(static id => !IsKept(id)).Order()];

    /// <summary>Numbers of the kept segments that are there, ascending: oldest first.</summary>
    public IReadOnlyList<int> KeptIds => [.. _segments.Keys.Where(static id => IsKept(id)).Order()];

    /// <summary>Tables that lie there without their segment.</summary>
    public IReadOnlyList<int> TablesWithoutSegment() =>
        [.. _disk.FilesOf(DirectoryPath, "*.tab")
            .Select(static path => TryParseId(Path.GetFileNameWithoutExtension(path), out int id) ? id : -1)
            .Where(id => id >= 0 && !_segments.ContainsKey(id))];

    /// <summary>What all tables take, bytes: about what there is to be indexed.</summary>
    public long TableBytes() => _disk.BytesOf(DirectoryPath, "*.tab");

    public int KeptCount => Count(FirstKeptId, int.MaxValue);

    /// <summary>Is this the number of a kept segment? Else it is that of a fresh one.</summary>
    public static bool IsKept(int id) => id >= FirstKeptId;

    /// <summary>Fresh segments with a lower number.</summary>
    public int CountBelow(int id) => Count(0, id);

    /// <summary>Segments whose table is not known to be on disk.</summary>
    public IEnumerable<int> WithoutTable() =>
        _segments.Values.Where(static segment => !segment.HasTable).Select(static segment => segment.Id);

    public static string FileName(int id) => (IsKept(id)
        ? KeptPrefix + (id - FirstKeptId).ToString("D10", CultureInfo.InvariantCulture)
        : id.ToString("D10", CultureInfo.InvariantCulture)) + Extension;

    public int IdOf(long address) => (int)(address >> SegmentSizeBits);

    public long OffsetOf(long address) => address & ((1L << SegmentSizeBits) - 1);

    /// <summary>Finds and holds the segment of an address. False: it is gone.</summary>
    public bool TryAcquire(long address, [NotNullWhen(true)] out Segment? segment) =>
        _segments.TryGetValue(IdOf(address), out segment) && segment.TryAcquire();

    /// <summary>The segment, its file made when missing; not held.</summary>
    public Segment GetOrCreate(int id)
    {
        if (_segments.TryGetValue(id, out Segment? segment))
        {
            return segment;
        }

        lock (_opening)
        {
            if (!_segments.TryGetValue(id, out segment))
            {
                SafeFileHandle file = _disk.Open(PathOf(id));
                try
                {
                    _disk.Reserve(file, 0, SegmentBytes); // a full disk shows here, not in the middle of a segment
                    _disk.SyncDirectory(DirectoryPath);
                }
                catch
                {
                    file.Dispose();
                    _disk.Delete(PathOf(id)); // the next start would take it for a segment
                    throw;
                }

                segment = new Segment(id, file, _disk);
                _segments[id] = segment;
            }

            return segment;
        }
    }

    public bool TryGet(int id, [NotNullWhen(true)] out Segment? segment) => _segments.TryGetValue(id, out segment);

    /// <summary>Removes a file's name. Holders read on.</summary>
    public void Remove(int id)
    {
        lock (_opening)
        {
            if (_segments.TryGetValue(id, out Segment? segment))
            {
                _disk.Delete(TablePathOf(id)); // first: a table without its segment means that the segment was lost
                _disk.Delete(PathOf(id));
                _disk.SyncDirectory(DirectoryPath);
                _segments.TryRemove(id, out _); // last: a failure is tried again
                segment.Release();
            }
        }
    }

    public void Dispose()
    {
        foreach (Segment segment in _segments.Values)
        {
            segment.Release();
        }

        _segments.Clear();
    }

    /// <summary>The address of a segment's first byte.</summary>
    public long StartOf(int id) => (long)id << SegmentSizeBits;

    /// <summary>Segments with numbers from one to another, that one not. Writers ask at each part: no lock, no copy.</summary>
    private int Count(int from, int to)
    {
        int count = 0;
        foreach (KeyValuePair<int, Segment> segment in _segments)
        {
            count += segment.Key >= from && segment.Key < to ? 1 : 0;
        }

        return count;
    }

    private static bool TryParseId(ReadOnlySpan<char> name, out int id)
    {
        bool isKept = name.StartsWith(KeptPrefix, StringComparison.Ordinal);
        bool isNumber = int.TryParse(isKept ? name[KeptPrefix.Length..] : name, NumberStyles.None, CultureInfo.InvariantCulture, out id)
            && id < FirstKeptId;
        id += isKept ? FirstKeptId : 0;
        return isNumber;
    }

    /// <summary>Where the table of a full segment's entries is.</summary>
    public string TablePathOf(int id) => Path.ChangeExtension(PathOf(id), ".tab");

    public string PathOf(int id) => Path.Combine(DirectoryPath, FileName(id));
}
