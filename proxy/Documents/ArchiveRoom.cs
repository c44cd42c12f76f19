using Breakwater.CacheStore;

namespace Breakwater.Proxy.Documents;

/// <summary>
/// Which documents the archive has room for. Any client may ask for a document of a made-up repository, and a Stratum 1 may have an answer
/// to everything: beyond the bytes the one kept longest ago goes, verified ones last. Thread-safe.
/// </summary>
/// <param name="maxBytes">Of all documents, with their names.</param>
internal sealed class ArchiveRoom(long maxBytes)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedListNode<Kept>> _byName = new(StringComparer.Ordinal); // guarded by _gate
    // guarded by _gate; kept longest ago first
    private readonly LinkedList<Kept> _verified = [];
    private readonly LinkedList<Kept> _others = [];                                                   // guarded by _gate; likewise
    private long _bytes;                                                                              // guarded by _gate

    /// <summary>Documents and bytes right now.</summary>
    public (int Count, long Bytes) Held
    {
        get
        {
            lock (_gate)
            {
                return (_byName.Count, _bytes);
            }
        }
    }

    /// <summary>Could it be kept at all? One that takes an eighth of the room is not worth what it pushes out.</summary>
    public bool IsFor(string name, long bytes) => CostOf(name, bytes) <= maxBytes / 8;

    /// <summary>A document is kept; gives the names of those that have to go for it.</summary>
    public IReadOnlyList<string> Take(string name, long bytes, bool isVerified)
    {
        lock (_gate)
        {
            if (_byName.Remove(name, out LinkedListNode<Kept>? before))
            {
                before.List!.Remove(before);
                _bytes -= before.Value.Bytes;
            }

            var kept = new Kept(name, CostOf(name, bytes));
            _byName.Add(name, (isVerified ? _verified : _others).AddLast(kept));
            _bytes += kept.Bytes;
            List<string> gone = [];
            while (_bytes > maxBytes && (_others.First ?? _verified.First) is { } oldest && oldest.Value.Name != name)
            {
                oldest.List!.Remove(oldest);
                _byName.Remove(oldest.Value.Name);
                _bytes -= oldest.Value.Bytes;
                gone.Add(oldest.Value.Name);
            }

            return gone;
        }
    }

    private static long CostOf(string name, long bytes) => (2 * HeapCost.Of(name)) + bytes + (4 * HeapCost.Entry);

    private sealed record Kept(string Name, long Bytes);
}
