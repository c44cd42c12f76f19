using System.Net;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.ZeroTouch;

namespace Breakwater.ClusterSim;

/// <summary>The nodes of a site, its machines, and what happens to them.</summary>
internal sealed class Site
{
    private readonly SimOptions _options;
    private readonly List<SimNode> _nodes = [];
    private readonly Dictionary<string, SimNode> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Ring> _rings = new(StringComparer.Ordinal);
    private readonly Dictionary<SimNode, List<Action>> _whenGone = [];
    private readonly List<long> _faults = [];
    private readonly bool[] _fetched;

    public Site(SimOptions options)
    {
        _options = options;
        Work = new Workload(options);
        Asked = new bool[Work.Count];
        _fetched = new bool[Work.Count];
        for (int i = 0; i < options.Nodes; i++)
        {
            Add();
        }
    }

    public Clock Clock { get; } = new();

    public Workload Work { get; }

    /// <summary>Everybody, those that are gone too.</summary>
    public IReadOnlyList<SimNode> Nodes => _nodes;

    /// <summary>Objects that a machine has asked for.</summary>
    public bool[] Asked { get; }

    public int UpstreamRequests { get; private set; }

    /// <summary>
    /// Of them, those for what had been fetched once and no node had any more that answers: it went with the store of one that is dead, or
    /// is held by one that stands still.
    /// </summary>
    public int LostUpstreamRequests { get; private set; }

    public long Borrowed { get; set; }

    public long Moved { get; set; }

    public long Hedges { get; set; }

    /// <summary>The share of objects that had another owner after the join.</summary>
    public double MovedShare { get; private set; }

    /// <summary>The names of the proxies that a machine is given: those that the site has at its start.</summary>
    public SimNode[] OrderFor(IPAddress client) =>
        [.. ProxyOrder.For([.. _nodes.Where(node => node.IsWhole || node.IsUp).Select(node => node.Id)], client).Select(Find)];

    public SimNode Find(string id) => _byId[id];

    /// <summary>A ring of these; one for all nodes that see the same.</summary>
    public Ring RingOf(IEnumerable<string> members)
    {
        string[] ids = [.. members.Order(StringComparer.Ordinal)];
        string name = string.Join(' ', ids);
        return _rings.TryGetValue(name, out Ring? ring) ? ring : _rings[name] = new Ring(ids.Select(id => new RingMember(id)));
    }

    /// <summary>A Stratum 1 is asked for it.</summary>
    public void CountUpstream(int item)
    {
        UpstreamRequests++;
        if (_fetched[item] && !_nodes.Exists(node => node.IsUp && !node.IsHung && (node.Has(item) || node.IsFetching(item))))
        {
            LostUpstreamRequests++;
        }

        _fetched[item] = true;
    }

    /// <summary>The next moment at which something is done to the site; machines do not run ahead of it.</summary>
    public long NextFault => _faults.FirstOrDefault(at => at > Clock.Now, long.MaxValue);

    /// <summary>Called once if the node goes while something is asked of it.</summary>
    public void WhenGone(SimNode node, Action broken)
    {
        if (NextFault < long.MaxValue)
        {
            _whenGone[node].Add(broken);
        }
    }

    /// <summary>Starts the nodes and plans the fault.</summary>
    public void Start()
    {
        foreach (SimNode node in _nodes)
        {
            node.Start();
        }

        // All that are there at the beginning see each other.
        foreach (SimNode node in _nodes)
        {
            node.Start();
        }

        long begin = _options.ArrivalSeconds * 1_000_000L / 3;
        switch (_options.Fault)
        {
            case Fault.Kill:
                At(begin, () => Kill(0));
                break;
            case Fault.TwoDead:
                At(begin, () => Kill(0));
                At(begin, () => Kill(1));
                break;
            case Fault.Hang:
                At(begin, () =>
                {
                    _nodes[0].IsWhole = false;
                    _nodes[0].Hang(20_000_000);
                });
                At(begin + 20_000_000, () => { });
                break;
            case Fault.Join:
                At(begin, Join);
                break;
            case Fault.RollingRestart:
                PlanRestarts(begin);
                break;
        }
    }

    private void PlanRestarts(long begin)
    {
        for (int i = 0; i < Math.Min(10, _options.Nodes); i++)
        {
            SimNode node = _nodes[i];
            long at = begin + (i * 12_000_000L);
            At(at, () => (node.IsDraining, node.IsWhole) = (true, false));
            At(at + 5_000_000, () => Stop(node, losesStore: false));
            At(at + 8_000_000, node.Start);
        }
    }

    private void At(long time, Action what)
    {
        _faults.Add(time);
        _faults.Sort();
        Clock.After(time - Clock.Now, what);
    }

    private void Kill(int node)
    {
        _nodes[node].IsWhole = false;
        Stop(_nodes[node], losesStore: true);
    }

    private void Stop(SimNode node, bool losesStore)
    {
        Action[] broken = [.. _whenGone[node]];
        _whenGone[node].Clear();
        node.Stop(losesStore);
        foreach (Action told in broken)
        {
            told();
        }
    }

    private void Join()
    {
        Ring before = RingOf(_nodes.Select(node => node.Id));
        SimNode added = Add();
        added.IsWhole = false;
        added.Start();
        Ring after = RingOf(_nodes.Select(node => node.Id));
        MovedShare = Work.Keys.Count(key => before.Owner(key) != after.Owner(key)) / (double)Work.Count;
    }

    private SimNode Add()
    {
        var node = new SimNode(this, _nodes.Count);
        _nodes.Add(node);
        _byId.Add(node.Id, node);
        _whenGone.Add(node, []);
        return node;
    }
}
