using System.Runtime.InteropServices;

namespace Breakwater.CacheStore.Log;

/// <summary>Segments that a sealed object's parts lie in, so that a start does not read the seal. 8 bytes; all zero: not known.</summary>
[StructLayout(LayoutKind.Sequential, Size = 8)]
internal readonly struct PartSpan
{
    private readonly int _firstPlusOne;
    private readonly int _last;

    /// <summary>The span of some parts: the lowest and the highest segment.</summary>
    public PartSpan(SegmentSet segments, ReadOnlySpan<long> parts)
    {
        int first = int.MaxValue;
        foreach (long part in parts)
        {
            int id = segments.IdOf(part);
            first = Math.Min(first, id);
            _last = Math.Max(_last, id);
        }

        _firstPlusOne = parts.IsEmpty ? 0 : first + 1;
    }

    /// <summary>
    /// Are all segments from first to last there? False also when it is not known: there may be a gap that none of the parts is in.
    /// </summary>
    public bool IsWhollyIn(SegmentSet segments)
    {
        const int Most = 64; // parts in fresh and in kept segments: ask the seal
        int first = _firstPlusOne - 1;
        if (first < 0 || _last - first >= Most)
        {
            return false;
        }

        for (int id = first; id <= _last; id++)
        {
            if (!segments.TryGet(id, out _))
            {
                return false;
            }
        }

        return true;
    }
}
