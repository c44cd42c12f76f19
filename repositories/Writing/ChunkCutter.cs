namespace Breakwater.Repositories.Writing;

/// <summary>
/// Finds where a file is cut into chunks, by its content: an insertion changes the chunks around it and no others. Gives the cuts of the
/// usual
/// server. Not thread-safe.
/// </summary>
public sealed class ChunkCutter
{
    /// <summary>A byte leaves the 32-bit window after so many steps.</summary>
    private const int Window = 32;

    private const int Magic = int.MaxValue;

    private readonly long _minBytes;
    private readonly long _maxBytes;
    private readonly uint _threshold;
    private long _start; // of the chunk under way
    private long _at;    // bytes seen
    private uint _window;

    /// <summary>The usual sizes: 4, 8 and 16 MiB.</summary>
    public ChunkCutter()
        : this(4 << 20, 8 << 20, 16 << 20)
    {
    }

    /// <summary>Other sizes, bytes.</summary>
    public ChunkCutter(long minBytes, long averageBytes, long maxBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(minBytes, Window);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(averageBytes, minBytes);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(maxBytes, averageBytes);
        (_minBytes, _maxBytes) = (minBytes, maxBytes);
        _threshold = (uint)(uint.MaxValue / averageBytes);
    }

    /// <summary>No chunk but the last is shorter; a file that is no longer is not cut.</summary>
    public long MinBytes => _minBytes;

    /// <summary>Goes on over the next bytes until a cut.</summary>
    /// <param name="bytes">The file's next bytes. What lies behind a cut is to be given again.</param>
    /// <param name="consumed">Bytes of these that belong to the chunk under way.</param>
    /// <returns>True: a chunk ends behind <paramref name="consumed"/>, and there is more of the file.</returns>
    public bool TryCut(ReadOnlySpan<byte> bytes, out int consumed)
    {
        // From so far before the smallest chunk's end on, the window is filled.
        long quiet = _start + _minBytes - Window - _at;
        int i = (int)Math.Clamp(quiet, 0, bytes.Length);
        for (; i < bytes.Length; i++)
        {
            long offset = _at + i;
            if (offset == _start + _maxBytes)
            {
                return Cut(i, out consumed);
            }

            _window = (_window << 1) ^ bytes[i];
            if (offset >= _start + _minBytes && IsCutMark(_window))
            {
                return Cut(i, out consumed);
            }
        }

        _at += bytes.Length;
        consumed = bytes.Length;
        return false;
    }

    private bool Cut(int at, out int consumed)
    {
        _at += at;
        _start = _at;
        _window = 0;
        consumed = at;
        return true;
    }

    private bool IsCutMark(uint window)
    {
        long distance = unchecked((int)(window - (uint)Magic));
        return Math.Abs(distance) < _threshold;
    }
}
