using FASTER.core;

namespace Breakwater.CacheStore.Faster;

/// <summary>
/// Key to place, on FasterKV, in memory: the log is the truth, and the index is rebuilt from it at start (docs/adr). Thread-safe.
/// </summary>
internal sealed class ObjectIndex : IDisposable
{
    private readonly FasterKV<ObjectKey, IndexEntry> _store;
    private readonly FasterKVSettings<ObjectKey, IndexEntry> _settings;
    private readonly ClientSession<ObjectKey, IndexEntry, IndexEntry, IndexEntry, Empty, IndexFunctions>?[] _idle; // taken and returned by exchange
    private long _count;

    /// <summary>Makes an empty index.</summary>
    /// <param name="expectedObjects">Sizes the hash table: 64 bytes for 7 objects.</param>
    /// <param name="memoryBytes">Records in memory, 56 bytes each; rounded down to a power of two, taken as they fill.</param>
    /// <param name="spillPath">Records beyond that go to this file, which is scratch.</param>
    public ObjectIndex(long expectedObjects, long memoryBytes, string spillPath)
    {
        _settings = new FasterKVSettings<ObjectKey, IndexEntry>
        {
            IndexSize = TableBytes(expectedObjects),
            LogDevice = Devices.CreateLogDevice(spillPath, deleteOnClose: true),
            PageSize = 1L << 22,
            MemorySize = Math.Max(memoryBytes, 1L << 24),
            SegmentSize = 1L << 28,
            MutableFraction = 0.9,
            ConcurrencyControlMode = ConcurrencyControlMode.None,
            EqualityComparer = new KeyComparer(),
        };
        _store = new FasterKV<ObjectKey, IndexEntry>(_settings);
        _idle = new ClientSession<ObjectKey, IndexEntry, IndexEntry, IndexEntry, Empty, IndexFunctions>?[2 * Environment.ProcessorCount];
    }

    /// <summary>Objects in the index.</summary>
    public long Count => Interlocked.Read(ref _count);

    public bool TryGet(in ObjectKey key, out IndexEntry entry)
    {
        var session = Rent();
        try
        {
            return TryGet(session, key, out entry);
        }
        finally
        {
            Return(session);
        }
    }

    /// <summary>Points a key to a new place. One caller at a time for one key.</summary>
    public void Set(in ObjectKey key, in IndexEntry entry)
    {
        var session = Rent();
        try
        {
            ObjectKey k = key;
            IndexEntry e = entry;
            if (session.Upsert(ref k, ref e).NotFound)
            {
                Interlocked.Increment(ref _count);
            }
        }
        finally
        {
            Return(session);
        }
    }

    /// <summary>Forgets a key when it points to <paramref name="address"/> (−1: wherever it points). One caller at a time for one key.</summary>
    public bool Remove(in ObjectKey key, long address)
    {
        var session = Rent();
        try
        {
            if (!TryGet(session, key, out IndexEntry entry) || (address >= 0 && entry.Address != address))
            {
                return false;
            }

            ObjectKey k = key;
            session.Delete(ref k);
            Interlocked.Decrement(ref _count);
            return true;
        }
        finally
        {
            Return(session);
        }
    }

    public void Dispose()
    {
        for (int i = 0; i < _idle.Length; i++)
        {
            Interlocked.Exchange(ref _idle[i], null)?.Dispose();
        }

        _store.Dispose();
        _settings.LogDevice.Dispose();
    }

    private static long TableBytes(long expectedObjects)
    {
        long bytes = 1L << 20;
        while (bytes < expectedObjects / 7 * 64 && bytes < 1L << 30)
        {
            bytes <<= 1;
        }

        return bytes;
    }

    private static bool TryGet(
        ClientSession<ObjectKey, IndexEntry, IndexEntry, IndexEntry, Empty, IndexFunctions> session, in ObjectKey key, out IndexEntry entry)
    {
        ObjectKey k = key;
        entry = default;
        Status status = session.Read(ref k, ref entry);
        if (status.IsPending)
        {
            session.CompletePendingWithOutputs(out CompletedOutputIterator<ObjectKey, IndexEntry, IndexEntry, IndexEntry, Empty> outputs, wait: true);
            using (outputs)
            {
                if (!outputs.Next())
                {
                    return false;
                }

                status = outputs.Current.Status;
                entry = outputs.Current.Output;
            }
        }

        return status.Found;
    }

    private ClientSession<ObjectKey, IndexEntry, IndexEntry, IndexEntry, Empty, IndexFunctions> Rent()
    {
        int start = Thread.GetCurrentProcessorId();
        for (int i = 0; i < _idle.Length; i++)
        {
            ref var slot = ref _idle[(start + i) % _idle.Length];
            if (slot is not null && Interlocked.Exchange(ref slot, null) is { } session)
            {
                return session;
            }
        }

        return _store.For(new IndexFunctions()).NewSession<IndexFunctions>();
    }

    private void Return(ClientSession<ObjectKey, IndexEntry, IndexEntry, IndexEntry, Empty, IndexFunctions> session)
    {
        int start = Thread.GetCurrentProcessorId();
        for (int i = 0; i < _idle.Length; i++)
        {
            ref var slot = ref _idle[(start + i) % _idle.Length];
            if (slot is null && Interlocked.CompareExchange(ref slot, session, null) is null)
            {
                return;
            }
        }

        session.Dispose();
    }

    private sealed class KeyComparer : IFasterEqualityComparer<ObjectKey>
    {
        public long GetHashCode64(ref ObjectKey k) => k.GetHashCode64();

        public bool Equals(ref ObjectKey k1, ref ObjectKey k2) => k1.Equals(k2);
    }

    /// <summary>Values are replaced by new records, never changed in place: a reader sees the old place or the new one, not half of each.</summary>
    private sealed class IndexFunctions : FunctionsBase<ObjectKey, IndexEntry, IndexEntry, IndexEntry, Empty>
    {
        public override bool SingleReader(ref ObjectKey key, ref IndexEntry input, ref IndexEntry value, ref IndexEntry dst, ref ReadInfo readInfo)
        {
            dst = value;
            return true;
        }

        public override bool ConcurrentReader(ref ObjectKey key, ref IndexEntry input, ref IndexEntry value, ref IndexEntry dst, ref ReadInfo readInfo)
        {
            dst = value;
            return true;
        }

        public override bool SingleWriter(ref ObjectKey key, ref IndexEntry input, ref IndexEntry src, ref IndexEntry dst, ref IndexEntry output, ref UpsertInfo upsertInfo, WriteReason reason)
        {
            dst = src;
            return true;
        }

        public override bool ConcurrentWriter(ref ObjectKey key, ref IndexEntry input, ref IndexEntry src, ref IndexEntry dst, ref IndexEntry output, ref UpsertInfo upsertInfo) => false;
    }
}
