using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Breakwater.CacheStore.Disk;

namespace Breakwater.CacheStore.Faster;

/// <summary>The files of one log, by number. Thread-safe.</summary>
internal sealed class SegmentSet : IDisposable
{
    private const string Extension = ".seg";

    private readonly ConcurrentDictionary<int, Segment> _segments = new();
    private readonly Lock _opening = new();
    private readonly StoreDisk _disk;

    public SegmentSet(string directory, int segmentSizeBits, StoreDisk disk)
    {
        DirectoryPath = directory;
        SegmentSizeBits = segmentSizeBits;
        _disk = disk;
        Directory.CreateDirectory(directory);
        foreach (string path in Directory.EnumerateFiles(directory, "*" + Extension))
        {
            if (int.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out int id))
            {
                _segments[id] = new Segment(id, disk.Open(path));
            }
        }
    }

    public string DirectoryPath { get; }

    public int SegmentSizeBits { get; }

    public StoreDisk Disk => _disk;

    /// <summary>Numbers of the files that are there, ascending.</summary>
    public IReadOnlyList<int> Ids => [.. _segments.Keys.Order()];

    public static string FileName(int id) => id.ToString("D10", CultureInfo.InvariantCulture) + Extension;

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
                segment = new Segment(id, _disk.Open(PathOf(id)));
                _disk.SyncDirectory(DirectoryPath);
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
            if (_segments.TryRemove(id, out Segment? segment))
            {
                _disk.Delete(PathOf(id));
                _disk.SyncDirectory(DirectoryPath);
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

    private string PathOf(int id) => Path.Combine(DirectoryPath, FileName(id));
}
