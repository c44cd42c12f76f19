using Breakwater.CacheStore.Log;
using FASTER.core;
using Session = FASTER.core.ClientSession<
    Breakwater.CacheStore.ObjectKey, Breakwater.CacheStore.Index.IndexEntry, Breakwater.CacheStore.Index.IndexEntry,
    Breakwater.CacheStore.Index.IndexEntry,
    FASTER.core.Empty, Breakwater.CacheStore.Index.IndexFunctions>;
using UnsafeSession = FASTER.core.UnsafeContext<
    Breakwater.CacheStore.ObjectKey, Breakwater.CacheStore.Index.IndexEntry, Breakwater.CacheStore.Index.IndexEntry,
    Breakwater.CacheStore.Index.IndexEntry,
    FASTER.core.Empty, Breakwater.CacheStore.Index.IndexFunctions>;

namespace Breakwater.CacheStore.Index;

/// <summary>
/// Fills the index with millions of records: one session under one epoch. One thread uses it, from first call to <see cref="Dispose"/>.
/// </summary>
internal sealed class IndexLoader : IDisposable
{
    /// <summary>
    /// Keys to <see cref="Touch"/> before the first of them is set: as many cache misses under way at once as the processor can have, and
    /// then some.
    /// </summary>
    public const int BatchKeys = 64;

    private readonly FasterKV<ObjectKey, IndexEntry> _store;
    private readonly IndexFunctions _functions = new();
    private readonly Session _session;
    private readonly UnsafeSession _context;
    private readonly Charging _charge;
    private readonly Action<long> _counted;
    private long _added;

    /// <param name="store">The index.</param>
    /// <param name="charge">Told of each entry that comes, and with a negative length of each that goes.</param>
    /// <param name="counted">Told at the end how many keys were added.</param>
    public IndexLoader(FasterKV<ObjectKey, IndexEntry> store, Charging charge, Action<long> counted)
    {
        _store = store;
        _charge = charge;
        _counted = counted;
        _session = store.For(_functions).NewSession<IndexFunctions>();
        _context = _session.UnsafeContext;
        _context.BeginUnsafe();
    }

    /// <summary>An entry came or went, with its length or that negated.</summary>
    public delegate void Charging(in IndexEntry entry, long length);

    /// <summary>
    /// Brings what the next calls for some keys need into the processor's caches. Each of those calls waits for memory alone, because of
    /// the atomic operations in it; these do not have any, and wait together. Measured: half the time of a start.
    /// </summary>
    public void Touch(ReadOnlySpan<TableRow> rows)
    {
        _context.Refresh();
        if (IsSpilled)
        {
            return; // some records are on disk: a look there costs more than it saves
        }

        foreach (ref readonly TableRow row in rows)
        {
            ObjectKey key = row.Key;
            IndexEntry unused = default;
            _context.Read(ref key, ref unused);
        }
    }

    /// <summary>Points a key to a place.</summary>
    public void Set(in ObjectKey key, in IndexEntry entry)
    {
        // an upsert does not look at records that are not mutable
        IndexEntry past = default;
        _functions.HasReplaced = _store.Log.ReadOnlyAddress > _store.Log.BeginAddress && TryGet(key, out past);
        _functions.Replaced = past;
        ObjectKey k = key;
        IndexEntry e = entry;
        _context.Upsert(ref k, ref e);
        _charge(entry, entry.Length);
        if (_functions.HasReplaced)
        {
            _charge(_functions.Replaced, -_functions.Replaced.Length);
        }
        else
        {
            _added++;
        }
    }

    /// <summary>Forgets a key.</summary>
    public void Remove(in ObjectKey key)
    {
        if (TryGet(key, out IndexEntry past))
        {
            ObjectKey k = key;
            _context.Delete(ref k);
            _charge(past, -past.Length);
            _added--;
        }
    }

    public void Dispose()
    {
        _context.EndUnsafe();
        _session.Dispose();
        _counted(_added);
    }

    /// <summary>Where a key points to by now. False: it is not known yet.</summary>
    public bool TryGet(in ObjectKey key, out IndexEntry entry)
    {
        ObjectKey k = key;
        entry = default;
        Status status = _context.Read(ref k, ref entry);
        if (!status.IsPending)
        {
            return status.Found;
        }

        _context.CompletePendingWithOutputs(out CompletedOutputIterator<ObjectKey, IndexEntry, IndexEntry, IndexEntry, Empty> outputs,
            wait: true);
        using (outputs)
        {
            if (!outputs.Next() || !outputs.Current.Status.Found)
            {
                return false;
            }

            entry = outputs.Current.Output;
            return true;
        }
    }

    private bool IsSpilled => _store.Log.HeadAddress > _store.Log.BeginAddress;
}
