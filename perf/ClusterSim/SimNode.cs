using System.Collections;
using Breakwater.Proxy.Cluster;

namespace Breakwater.ClusterSim;

/// <summary>
/// One node: its store, its fetches and its own view of the others. Whom it asks is decided by the product's own <see cref="Ring"/>,
/// <see cref="NodeCandidates"/> and <see cref="NodeStrikes"/>; how long things take is the model's.
/// </summary>
internal sealed class SimNode
{
    private readonly Site _site;
    private readonly int _number;
    private readonly Dictionary<(int Item, bool IsUpstream), SimFetch> _fetches = [];
    private readonly HashSet<int> _upstream = [];
    private readonly Queue<Action> _line = new();
    private readonly Dictionary<string, int> _failed = new(StringComparer.Ordinal);
    private BitArray _has;
    private int _places;
    private int _generation;
    private long _hungUntil;

    public SimNode(Site site, int number)
    {
        (_site, _number, Id) = (site, number, $"node{number:000}");
        _has = new BitArray(site.Work.Count);
        Strikes = new NodeStrikes(site.Clock.Time);
        View = new HashSet<string>(StringComparer.Ordinal);
    }

    /// <summary>Its id, by which the ring knows it.</summary>
    public string Id { get; }

    /// <summary>Whom it skips.</summary>
    public NodeStrikes Strikes { get; }

    /// <summary>Whom it sees alive, itself included.</summary>
    public HashSet<string> View { get; }

    /// <summary>The ring of <see cref="View"/>.</summary>
    public Ring Ring { get; private set; } = new([]);

    /// <summary>Does it take connections?</summary>
    public bool IsUp { get; private set; }

    /// <summary>Does it say that it is about to go?</summary>
    public bool IsDraining { get; set; }

    /// <summary>Does it stand still?</summary>
    public bool IsHung => _hungUntil > _site.Clock.Now;

    /// <summary>Was it there from the beginning to the end?</summary>
    public bool IsWhole { get; set; } = true;

    /// <summary>What it sent to machines and to nodes.</summary>
    public Egress ToVms { get; } = new();

    /// <inheritdoc cref="ToVms"/>
    public Egress ToNodes { get; } = new();

    /// <summary>Is it in the store?</summary>
    public bool Has(int item) => _has[item];

    /// <summary>Is a Stratum 1 being asked for it?</summary>
    public bool IsFetching(int item) => _upstream.Contains(item);

    /// <summary>The process starts; what is in the store stays.</summary>
    public void Start()
    {
        IsUp = true;
        IsDraining = false;
        int generation = ++_generation;
        Probe(isFirst: true);
        void Again()
        {
            if (generation == _generation)
            {
                Probe(isFirst: false);

                // A silent node stretches the round: it is waited for.
                bool isAnySilent = _site.Nodes.Any(node => node.IsUp && node.IsHung);
                _site.Clock.After(isAnySilent ? Times.ProbeTimeout : Times.ProbeInterval, Again);
            }
        }

        // Not all at the same moment.
        _site.Clock.After(Times.ProbeInterval * (1 + (_number % 10)) / 10, Again);
    }

    /// <summary>The process is gone, and with it what it was doing.</summary>
    public void Stop(bool losesStore)
    {
        IsUp = false;
        _generation++;
        _hungUntil = 0;
        SimFetch[] broken = [.. _fetches.Values];
        _fetches.Clear();
        _line.Clear();
        _upstream.Clear();
        _places = 0;
        foreach (SimFetch fetch in broken)
        {
            fetch.Break();
        }

        if (losesStore)
        {
            _has = new BitArray(_site.Work.Count);
        }
    }

    /// <summary>It stands still.</summary>
    public void Hang(long microseconds) => _hungUntil = _site.Clock.Now + microseconds;

    /// <summary>Does something on this node later: not if it is gone by then, and when it goes on if it stands still.</summary>
    public void After(long microseconds, Action what)
    {
        int generation = _generation;
        void Do()
        {
            if (generation != _generation)
            {
                return;
            }

            if (IsHung)
            {
                _site.Clock.After(_hungUntil - _site.Clock.Now, Do);
                return;
            }

            what();
        }

        _site.Clock.After(microseconds, Do);
    }

    /// <summary>Somebody wants an object that is not in the store; told true when it is, false when this node broke.</summary>
    /// <param name="item">The object.</param>
    /// <param name="isUpstream">May it be asked from Stratum 1s alone? So a node's request never leads to a third node.</param>
    /// <param name="told">Called once.</param>
    public void Want(int item, bool isUpstream, Action<bool> told)
    {
        // What this node owns is asked of Stratum 1s alone, whoever wants it: so all who want it wait for one fetch.
        isUpstream = isUpstream || NodeCandidates.Before(Ring, _site.Work.Keys[item], Id, Strikes.IsOut).Owner is null;
        if (_fetches.TryGetValue((item, true), out SimFetch? running) || _fetches.TryGetValue((item, isUpstream), out running))
        {
            running.Join(told);
            return;
        }

        var fetch = new SimFetch(_site, this, item, isUpstream);
        _fetches.Add((item, isUpstream), fetch);
        fetch.Join(told);
        fetch.Begin();
    }

    /// <summary>A fetch is done: the object is in the store.</summary>
    public void Take(SimFetch fetch)
    {
        _has[fetch.Item] = true;
        _fetches.Remove((fetch.Item, fetch.IsUpstream));
    }

    /// <summary>Begins when there is a place for one more transfer from a Stratum 1.</summary>
    public void Enter(int item, Action begin)
    {
        void Begin()
        {
            begin();
            _upstream.Add(item);
        }

        if (_places < Math.Max(1, (Times.MaxConcurrentFetches + View.Count - 1) / Math.Max(1, View.Count)))
        {
            _places++;
            Begin();
        }
        else
        {
            _line.Enqueue(Begin);
        }
    }

    /// <summary>A transfer from a Stratum 1 has ended.</summary>
    public void Leave(int item)
    {
        _upstream.Remove(item);
        if (_line.TryDequeue(out Action? next))
        {
            next();
        }
        else
        {
            _places--;
        }
    }

    /// <summary>Looks at all others, as probes do: three failures in a row, and a node leaves the ring.</summary>
    private void Probe(bool isFirst)
    {
        if (IsHung)
        {
            return;
        }

        bool hasChanged = isFirst;
        foreach (SimNode node in _site.Nodes)
        {
            bool answers = node == this || (node.IsUp && !node.IsHung && !node.IsDraining);
            _failed[node.Id] = answers ? 0 : _failed.GetValueOrDefault(node.Id) + 1;
            bool isIn = answers || (!isFirst && !node.IsDraining && View.Contains(node.Id) && _failed[node.Id] < Times.ProbeFailures);
            hasChanged |= isIn ? View.Add(node.Id) : View.Remove(node.Id);
        }

        if (hasChanged)
        {
            Ring = _site.RingOf(View);
        }
    }
}
