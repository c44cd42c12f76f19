using System.Collections.Concurrent;
using System.Numerics;
using Breakwater.CacheStore.Quotas;
using FASTER.core;
using Session = FASTER.core.ClientSession<
    Breakwater.CacheStore.ObjectKey, Breakwater.CacheStore.Index.IndexEntry, Breakwater.CacheStore.Index.IndexEntry,
    Breakwater.CacheStore.Index.IndexEntry,
    FASTER.core.Empty, Breakwater.CacheStore.Index.IndexFunctions>;

namespace Breakwater.CacheStore.Index;

/// <summary>
/// Key to place, on FasterKV, in memory: the log is the truth, and the index is rebuilt from it at start (docs/develop/adr). Thread-safe.
/// </summary>
internal sealed class ObjectIndex : IDisposable
{
    private const int RecordBytes = 48;

    /// <summary>Larger ones fit better into huge pages; one or two are empty.</summary>
    private const long SmallestPageBytes = 4 << 20;

    /// <summary>Records of the past are dropped when they are more than the living ones and this.</summary>
    private const long ToleratedBytes = 32 << 20;

    private readonly FasterKV<ObjectKey, IndexEntry> _store;
    private readonly FasterKVSettings<ObjectKey, IndexEntry> _settings;
    private readonly ConcurrentStack<Session> _idle = new(); // of threads that are gone
    private readonly StoreShares _shares;
    private readonly long _keptFrom;
    private long _count;

    [ThreadStatic]
    private static ThreadSession? t_session; // of the index that the thread used last

    /// <summary>Makes an empty index.</summary>
    /// <param name="mostObjects">Sizes the hash table: 64 bytes for 7 objects.</param>
    /// <param name="objectsNow">About how many are added at once: sizes the steps in which memory is taken.</param>
    /// <param name="memoryBytes">Records in memory, 48 bytes each; rounded down to a power of two, taken as they fill.</param>
    /// <param name="spillPath">Records beyond that go to this file, which is scratch.</param>
    /// <param name="shares">Told of all that comes and goes.</param>
    /// <param name="keptFrom">Kept segments begin at this address.</param>
    public ObjectIndex(long mostObjects, long objectsNow, long memoryBytes, string spillPath, StoreShares? shares = null,
        long keptFrom = long.MaxValue)
    {
        _shares = shares ?? new StoreShares();
        _keptFrom = keptFrom;
        _settings = new FasterKVSettings<ObjectKey, IndexEntry>
        {
            IndexSize = TableBytes(mostObjects),
            LogDevice = Devices.CreateLogDevice(spillPath, deleteOnClose: true),
            PageSize = Math.Clamp((long)BitOperations.RoundUpToPowerOf2((ulong)objectsNow * RecordBytes / 8), SmallestPageBytes,
                4 * SmallestPageBytes),
            MemorySize = Math.Max(memoryBytes, 1L << 24),
            SegmentSize = 1L << 28,
            MutableFraction = 0.9,
            ConcurrencyControlMode = ConcurrencyControlMode.None,
            EqualityComparer = new KeyComparer(),
        };
        _store = new FasterKV<ObjectKey, IndexEntry>(_settings);
        _store.Log.EmptyPageCount = 1; // else a page that is dropped keeps its memory until the log has come round
    }

    /// <summary>Objects in the index.</summary>
    public long Count => Interlocked.Read(ref _count);

    public bool TryGet(in ObjectKey key, out IndexEntry entry) => TryGet(SessionOfThread(), key, out entry);

    /// <summary>Points a key to a place. One caller at a time for one key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="entry">Its place.</param>
    /// <param name="replaced">Its place until now; null: the key is not in the index. An upsert does not tell.</param>
    public void Set(in ObjectKey key, in IndexEntry entry, IndexEntry? replaced = null)
    {
        ObjectKey k = key;
        IndexEntry e = entry;
        SessionOfThread().Upsert(ref k, ref e);
        Charge(entry, entry.Length);
        if (replaced is { } past)
        {
            Charge(past, -past.Length);
        }
        else
        {
            Interlocked.Increment(ref _count);
        }
    }

    /// <summary>
    /// Forgets a key when it points to <paramref name="address"/> (−1: wherever it points). One caller at a time for one key.
    /// </summary>
    public bool Remove(in ObjectKey key, long address)
    {
        Session session = SessionOfThread();
        if (!TryGet(session, key, out IndexEntry entry) || (address >= 0 && entry.Address != address))
        {
            return false;
        }

        ObjectKey k = key;
        session.Delete(ref k);
        Interlocked.Decrement(ref _count);
        Charge(entry, -entry.Length);
        return true;
    }

    /// <summary>Bytes of records, also of those that were replaced or removed since.</summary>
    public long RecordedBytes => _store.Log.TailAddress - _store.Log.BeginAddress;

    /// <summary>
    /// Drops the records of what was replaced or removed, when they are many: each object that comes and goes leaves some, for ever. To be
    /// called now and then, by one caller at a time; others may go on.
    /// </summary>
    public void DropPast()
    {
        if (RecordedBytes <= (2 * Count * RecordBytes) + ToleratedBytes)
        {
            return;
        }

        long until = _store.Log.TailAddress;
        _store.Log.ShiftReadOnlyAddress(until, wait: true);
        SessionOfThread().Compact(until, CompactionType.Lookup);
        _store.Log.Truncate();
    }

    /// <summary>Fills the index at a start, before anybody else uses it; dispose it before anybody does.</summary>
    public IndexLoader BeginLoad() => new(_store, Charge, added => Interlocked.Add(ref _count, added));

    public void Dispose()
    {
        _store.Dispose();
        _settings.LogDevice.Dispose();
    }

    internal static long TableBytes(long expectedObjects)
    {
        long bytes = 1L << 20;
        while (bytes < expectedObjects / 7 * 64 && bytes < 1L << 30)
        {
            bytes <<= 1;
        }

        return bytes;
    }

    private void Charge(in IndexEntry entry, long length) => _shares.Count(entry.Owner, length, isFresh: entry.Address < _keptFrom);

    private static bool TryGet(
        Session session, in ObjectKey key, out IndexEntry entry)
    {
        ObjectKey k = key;
        entry = default;
        Status status = session.Read(ref k, ref entry);
        if (status.IsPending)
        {
            session.CompletePendingWithOutputs(out CompletedOutputIterator<ObjectKey, IndexEntry, IndexEntry, IndexEntry, Empty> outputs,
                wait: true);
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

    /// <summary>A session has one user at a time; each thread keeps its own, which costs a look-up less than to borrow one.</summary>
    private Session SessionOfThread() => t_session is { } mine && mine.Index == this ? mine.Session : BeginSession();

    private Session BeginSession()
    {
        if (!_idle.TryPop(out Session? session))
        {
            session = _store.For(new IndexFunctions()).NewSession<IndexFunctions>();
        }

        t_session = new ThreadSession(this, session);
        return session;
    }

    /// <summary>Hands the session to another thread when its own has ended, or went on to another index.</summary>
    private sealed class ThreadSession(ObjectIndex index, Session session)
    {
        public ObjectIndex Index => index;

        public Session Session => session;

        ~ThreadSession() => index._idle.Push(session);
    }
}
