namespace Breakwater.CacheStore.Staging;

/// <summary>
/// Free blocks of one size. The one that was used last is taken first, so what nobody needs stays at the bottom. Thread-safe.
/// </summary>
internal sealed class FreeBlocks(int capacity)
{
    private readonly Lock _gate = new();
    private readonly List<nint> _blocks = [];
    private int _unused; // the fewest that there were since the last look

    /// <summary>Bytes of each.</summary>
    public int Capacity => capacity;

    /// <summary>Takes one. False: there is none.</summary>
    public bool TryTake(out nint block)
    {
        lock (_gate)
        {
            if (_blocks.Count == 0)
            {
                block = 0;
                return false;
            }

            block = _blocks[^1];
            _blocks.RemoveAt(_blocks.Count - 1);
            _unused = Math.Min(_unused, _blocks.Count);
            return true;
        }
    }

    /// <summary>Puts one back.</summary>
    public void Put(nint block)
    {
        lock (_gate)
        {
            _blocks.Add(block);
        }
    }

    /// <summary>Takes out what nobody took since the last call.</summary>
    public IReadOnlyList<nint> TakeUnused()
    {
        lock (_gate)
        {
            List<nint> unused = _blocks[.._unused];
            _blocks.RemoveRange(0, _unused);
            _unused = _blocks.Count;
            return unused;
        }
    }
}
