using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Prefetching;

/// <summary>
/// The trails of all repositories, those that were walked longest ago forgotten first: a client may ask under any name below an allowed
/// domain. Only objects that were fetched and are right are on a trail, so that names which nobody has leave nothing here. Thread-safe.
/// </summary>
internal sealed class MissTrails
{
    /// <summary>Repositories that a site boots from are a handful.</summary>
    public const int MaxTrails = 1024;

    /// <summary>Keys of all trails; some 150 bytes each, 60 MB in all.</summary>
    public const int MaxKeys = 400_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<Fqrn, LinkedListNode<Walked>> _byName = []; // guarded by _gate
    // guarded by _gate; walked longest ago first
    private readonly LinkedList<Walked> _byAge = [];
    // guarded by _gate; since TakeForgotten
    private readonly List<Fqrn> _forgotten = [];
    private int _keys;                                                                                  // guarded by _gate

    /// <summary>Trails and keys held right now.</summary>
    public (int Trails, int Keys) Held
    {
        get
        {
            lock (_gate)
            {
                return (_byName.Count, _keys);
            }
        }
    }

    /// <summary>A client waits for an object. Gives what clients will ask for next, in order; empty when that is not known.</summary>
    public IReadOnlyList<ObjectKey> Follow(Fqrn fqrn, in ObjectKey key)
    {
        lock (_gate)
        {
            return _byName.TryGetValue(fqrn, out LinkedListNode<Walked>? node) ? node.Value.Trail.Follow(key) : [];
        }
    }

    /// <summary>An object that a client waited for has come, and is right.</summary>
    public void Learn(Fqrn fqrn, in ObjectKey key)
    {
        lock (_gate)
        {
            LinkedListNode<Walked> node = NewestLocked(fqrn);
            int before = node.Value.Trail.Count;
            node.Value.Trail.Add(key);
            _keys += node.Value.Trail.Count - before;
            ForgetLocked();
        }
    }

    /// <summary>No Stratum 1 has that object any more.</summary>
    public void Forget(Fqrn fqrn, in ObjectKey key)
    {
        lock (_gate)
        {
            if (_byName.TryGetValue(fqrn, out LinkedListNode<Walked>? node) && node.Value.Trail.Remove(key))
            {
                _keys--;
            }
        }
    }

    /// <summary>Puts in a trail that was saved; call for the one walked longest ago first.</summary>
    public void Restore(Fqrn fqrn, IEnumerable<ObjectKey> keys)
    {
        var trail = MissTrail.Of(keys);
        lock (_gate)
        {
            if (!trail.IsTelling)
            {
                _forgotten.Add(fqrn);
                return;
            }

            LinkedListNode<Walked> node = NewestLocked(fqrn);
            _keys += trail.Count - node.Value.Trail.Count; // a client may have walked it since the start
            node.Value = new Walked(fqrn, trail);
            ForgetLocked();
        }
    }

    /// <summary>The trails that changed since they were taken last, as they are now.</summary>
    public IReadOnlyList<(Fqrn Fqrn, ObjectKey[] Keys)> TakeChanged()
    {
        lock (_gate)
        {
            List<(Fqrn, ObjectKey[])> changed = [];
            foreach (Walked walked in _byAge)
            {
                if (walked.Trail is { IsChanged: true, IsTelling: true } trail)
                {
                    changed.Add((walked.Fqrn, [.. trail.Keys]));
                    trail.MarkSaved();
                }
            }

            return changed;
        }
    }

    /// <summary>The repositories whose trails were forgotten since they were taken last.</summary>
    public IReadOnlyList<Fqrn> TakeForgotten()
    {
        lock (_gate)
        {
            Fqrn[] forgotten = [.. _forgotten.Where(fqrn => !_byName.ContainsKey(fqrn))];
            _forgotten.Clear();
            return forgotten;
        }
    }

    private LinkedListNode<Walked> NewestLocked(Fqrn fqrn)
    {
        if (_byName.TryGetValue(fqrn, out LinkedListNode<Walked>? node))
        {
            _byAge.Remove(node);
        }
        else
        {
            node = new LinkedListNode<Walked>(new Walked(fqrn, new MissTrail()));
            _byName.Add(fqrn, node);
        }

        _byAge.AddLast(node);
        return node;
    }

    private void ForgetLocked()
    {
        while ((_byName.Count > MaxTrails || _keys > MaxKeys) && _byAge.First is { } oldest && oldest != _byAge.Last)
        {
            _byAge.RemoveFirst();
            _byName.Remove(oldest.Value.Fqrn);
            _keys -= oldest.Value.Trail.Count;
            if (_forgotten.Count < MaxTrails)
            {
                _forgotten.Add(oldest.Value.Fqrn);
            }
        }
    }

    private sealed record Walked(Fqrn Fqrn, MissTrail Trail);
}
