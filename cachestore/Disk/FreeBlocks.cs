namespace Breakwater.CacheStore.Disk;

/// <summary>Free blocks of one size, the last one given back first: what lies at the bottom is not needed. Thread-safe.</summary>
internal sealed class FreeBlocks
{
    private readonly Lock _gate = new();
    private readonly List<nint> _blocks = [];   // guarded by _gate
    private int _unneeded;                      // guarded by _gate: so many were there all the time since it was last asked

    /// <summary>Takes one. False: there is none.</summary>
    public bool TryPop(out nint block)
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
            _unneeded = Math.Min(_unneeded, _blocks.Count);
            return true;
        }
    }

    /// <summary>Gives one back.</summary>
    public void Push(nint block)
    {
        lock (_gate)
        {
            _blocks.Add(block);
        }
    }

    /// <summary>Takes those that nobody has needed since the last time.</summary>
    public nint[] TakeUnneeded()
    {
        lock (_gate)
        {
            nint[] unneeded = [.. _blocks[.._unneeded]];
            _blocks.RemoveRange(0, _unneeded);
            _unneeded = _blocks.Count;
            return unneeded;
        }
    }
}
