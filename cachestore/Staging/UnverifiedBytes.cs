using System.Collections.Concurrent;
using Breakwater.CacheStore.Log;

namespace Breakwater.CacheStore.Staging;

/// <summary>
/// Bytes of the log that no digest vouches for: parts of objects that are still being written, and of those that never became whole. No
/// stored object is evicted for their sake: they have what is free, and a share of the quota that is kept free for them. Thread-safe.
/// </summary>
internal sealed class UnverifiedBytes(BlobLog log)
{
    private readonly long _partFootprint = log.PartFootprint;
    private readonly ConcurrentDictionary<int, long> _dead = new(); // by segment; of this process's time
    private long _writing;

    /// <summary>Of objects that are being written.</summary>
    public long Writing => Interlocked.Read(ref _writing);

    /// <summary>Of objects that never became whole, in segments that are still there.</summary>
    public long Dead
    {
        get
        {
            int first = log.Segments.IdOf(log.BeginAddress);
            long bytes = 0;
            foreach ((int id, long dead) in _dead)
            {
                if (id < first)
                {
                    _dead.TryRemove(id, out _);
                }
                else
                {
                    bytes += dead;
                }
            }

            return bytes;
        }
    }

    /// <summary>The log took a part of this length.</summary>
    public void Add(int length) => Interlocked.Add(ref _writing, FootprintOf(length));

    /// <summary>
    /// An object has its digest, or will never be whole. What it has in the log is counted once, however often this is said.
    /// </summary>
    public void Settle(StagedObject staged, bool isVerified)
    {
        foreach ((long address, int length) in staged.Parts.TakeUnverified())
        {
            long bytes = FootprintOf(length);
            Interlocked.Add(ref _writing, -bytes);
            if (!isVerified)
            {
                _dead.AddOrUpdate(log.Segments.IdOf(address), bytes, (_, before) => before + bytes);
            }
        }
    }

    /// <summary>
    /// Nothing more of an object is stored, and what the log has of it is of no use; its memory is let go of as that of others.
    /// </summary>
    public void Revoke(StagedObject staged)
    {
        staged.IsRevoked = true;
        Settle(staged, isVerified: false);
    }

    private long FootprintOf(int length) => length == PartSize.Full ? _partFootprint : BlobLog.SizeOf(length);
}
