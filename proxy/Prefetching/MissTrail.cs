using Breakwater.CacheStore;

namespace Breakwater.Proxy.Prefetching;

/// <summary>
/// The order in which clients first asked for what the store lacked, of one repository. When misses come along it again, in order, it tells
/// what comes next. Not thread-safe.
/// </summary>
internal sealed class MissTrail
{
    /// <summary>
    /// Keys kept; when full, the older half is forgotten. A boot needs hundreds, a storm of many kinds of jobs some thousands.
    /// </summary>
    public const int MaxKeys = 20_000;

    /// <summary>So many misses in order are a boot that is known: one or two may be chance, such as an evicted object.</summary>
    private const int Confirmations = 3;

    /// <summary>Misses this far apart still count as in order: a client has up to 16 connections, and clients differ.</summary>
    private const int MaxGap = 32;

    /// <summary>How far ahead is looked at a time.</summary>
    private const int Window = 2048;

    private readonly List<ObjectKey> _keys = [];
    private readonly Dictionary<ObjectKey, int> _places = [];
    private int _last = -1;
    private int _inOrder;
    private int _handedOut;

    /// <summary>The keys, oldest first.</summary>
    public IEnumerable<ObjectKey> Keys => _keys.Where(static key => key != default);

    /// <summary>How many keys it has.</summary>
    public int Count => _places.Count;

    /// <summary>Has it enough keys to tell anything at all?</summary>
    public bool IsTelling => Count > Confirmations;

    /// <summary>Has it grown since <see cref="MarkSaved"/>?</summary>
    public bool IsChanged { get; private set; }

    /// <summary>A trail that was saved.</summary>
    public static MissTrail Of(IEnumerable<ObjectKey> keys)
    {
        var trail = new MissTrail();
        foreach (ObjectKey key in keys.Take(MaxKeys))
        {
            trail.Add(key);
        }

        trail.IsChanged = false;
        return trail;
    }

    /// <summary>Call after <see cref="Keys"/> were saved.</summary>
    public void MarkSaved() => IsChanged = false;

    /// <summary>A client waits for an object. Returns what clients will ask for next, in order; empty when that is not known.</summary>
    public IReadOnlyList<ObjectKey> Follow(in ObjectKey key)
    {
        // What was learned last may be this very miss, whose object came before it was followed: nothing comes behind it in any case.
        if (!_places.TryGetValue(key, out int at) || at == _keys.Count - 1)
        {
            return [];
        }

        if (at > _last + MaxGap || at < _last - MaxGap || _last < 0)
        {
            _inOrder = 1;
            _handedOut = at + 1;
            _last = at;
            return [];
        }

        _inOrder += at > _last ? 1 : 0;
        _last = Math.Max(_last, at);
        if (_inOrder < Confirmations)
        {
            return [];
        }

        int from = Math.Max(_handedOut, _last + 1);
        int to = Math.Min(_keys.Count, _last + 1 + Window);
        if (from >= to || (to < _keys.Count && to - from < Window / 4))
        {
            return [];
        }

        _handedOut = to;
        _last = to - 1; // what is fetched ahead is not missed: the next miss is expected behind it
        return [.. _keys.GetRange(from, to - from).Where(static next => next != default)];
    }

    /// <summary>Forgets an object, the rest of the trail stays. False: it was not on it.</summary>
    public bool Remove(in ObjectKey key)
    {
        if (!_places.Remove(key, out int at))
        {
            return false;
        }

        _keys[at] = default; // the places of those behind it stay
        IsChanged = true;
        return true;
    }

    /// <summary>Puts an object at the trail's end, unless it is on it already.</summary>
    public void Add(in ObjectKey key)
    {
        if (_keys.Count == MaxKeys)
        {
            _keys.RemoveRange(0, MaxKeys / 2);
            _keys.RemoveAll(static known => known == default);
            _places.Clear();
            for (int i = 0; i < _keys.Count; i++)
            {
                _places[_keys[i]] = i;
            }

            _last = -1;
        }

        if (_places.TryAdd(key, _keys.Count))
        {
            _keys.Add(key);
            IsChanged = true;
        }
    }
}
