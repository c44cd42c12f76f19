using System.Net;
using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Boots;

/// <summary>
/// The one definition of a boot: assigns requests to the boots of VMs. Each request costs a bounded time, whatever clients do. Not
/// thread-safe.
/// </summary>
/// <remarks>
/// A connection that asks for the manifest begins a boot, and belongs to it. Other connections of the same address belong to a boot by
/// this: a VM caches, so it asks for an object once; a request goes to the newest boot of that address that has not asked for the object
/// yet. A catalog that every boot of the address has, or that comes when there is none, is a reboot, which needs no manifest. So two VMs
/// behind one address stay apart as long as they have their own connections, and what a shared address blurs is outvoted when boots are
/// merged. Silence alone ends no boot: the VM may be paused. Whoever owns the sorter decides when a boot has ended.
/// </remarks>
/// <param name="limits">Bounds.</param>
/// <param name="begin">Makes a boot from its first request; null: it is not followed.</param>
/// <param name="pressed">Told of a boot that had to end for the sake of the limits.</param>
internal sealed class BootSorter<TBoot>(BootSorterLimits limits, Func<ObservedRequest, TBoot?> begin, Action<TBoot> pressed)
    where TBoot : SortedBoot
{
    private readonly Dictionary<(Fqrn Repository, string Connection), TBoot> _byConnection = [];
    private readonly Dictionary<(Fqrn Repository, IPAddress Client), List<TBoot>> _byAddress = []; // oldest first
    private readonly LinkedList<SortedBoot> _boots = []; // oldest first
    private long _seenBytes;

    /// <summary>Boots followed.</summary>
    public int Count => _boots.Count;

    /// <summary>Boots looked at for all requests so far: a test sees by it that each request costs a bounded number of looks.</summary>
    public long Looks { get; private set; }

    /// <summary>The boots, the oldest first. The one at hand may be ended.</summary>
    public IEnumerable<TBoot> Boots
    {
        get
        {
            for (LinkedListNode<SortedBoot>? node = _boots.First; node is not null;)
            {
                LinkedListNode<SortedBoot>? next = node.Next;
                yield return (TBoot)node.Value;
                node = next;
            }
        }
    }

    /// <summary>The boot that the request belongs to, and that has now asked for its object; null when it belongs to none.</summary>
    /// <param name="request">The request, for an object or the manifest.</param>
    /// <param name="isFirst">Had the boot not asked for that object before?</param>
    public TBoot? Assign(in ObservedRequest request, out bool isFirst)
    {
        isFirst = false;
        TBoot? boot = Find(request);
        if (boot is not null && request.Object is ObjectKey key && boot.Seen.Add(key))
        {
            isFirst = true;
            _seenBytes += boot.Seen.Bytes - boot.CountedBytes;
            boot.CountedBytes = boot.Seen.Bytes;
            while (_seenBytes > limits.MaxSeenBytes && _boots.Count > 1)
            {
                Press(_boots.First!.Value);
            }
        }

        return boot;
    }

    /// <summary>The boot to which a connection is bound; null when to none.</summary>
    public TBoot? BoundTo(Fqrn repository, string connection) => _byConnection.GetValueOrDefault((repository, connection));

    /// <summary>Follows a boot no longer; nothing happens when it has ended before.</summary>
    public void End(SortedBoot boot)
    {
        if (boot.Place is not { } place)
        {
            return;
        }

        boot.Place = null;
        _boots.Remove(place);
        _seenBytes -= boot.CountedBytes;
        foreach (string connection in boot.Connections)
        {
            if (_byConnection.TryGetValue((boot.Repository, connection), out TBoot? bound) && bound == boot)
            {
                _byConnection.Remove((boot.Repository, connection));
            }
        }

        List<TBoot> neighbours = _byAddress[(boot.Repository, boot.Client)];
        neighbours.Remove((TBoot)boot);
        if (neighbours.Count == 0)
        {
            _byAddress.Remove((boot.Repository, boot.Client));
        }
    }

    private TBoot? Find(in ObservedRequest request)
    {
        TBoot? bound = BoundTo(request.Repository, request.Connection);
        if (request.Object is not ObjectKey key)
        {
            return bound ?? Begin(request);
        }

        if (bound is not null && (bound.Owner == request.Connection || !bound.Seen.Contains(key)))
        {
            return bound;
        }

        if (_byAddress.TryGetValue((request.Repository, request.Client), out List<TBoot>? neighbours))
        {
            for (int i = neighbours.Count - 1; i >= 0; i--)
            {
                Looks++;
                if (!neighbours[i].Seen.Contains(key))
                {
                    Bind(neighbours[i], request.Connection);
                    return neighbours[i];
                }
            }
        }

        return key.Kind == ObjectKind.Catalog && bound is null ? Begin(request) : bound;
    }

    private TBoot? Begin(in ObservedRequest request)
    {
        if (begin(request) is not { } boot)
        {
            return null;
        }

        if (!_byAddress.TryGetValue((boot.Repository, boot.Client), out List<TBoot>? neighbours))
        {
            _byAddress[(boot.Repository, boot.Client)] = neighbours = [];
        }

        neighbours.Add(boot);
        boot.Place = _boots.AddLast(boot);
        boot.CountedBytes = boot.Seen.Bytes;
        _seenBytes += boot.CountedBytes;
        Bind(boot, request.Connection);
        if (neighbours.Count > limits.MaxBootsOfAddress)
        {
            Press(neighbours[0]);
        }

        if (_boots.Count > limits.MaxBoots)
        {
            Press(_boots.First!.Value);
        }

        return boot;
    }

    private void Bind(TBoot boot, string connection)
    {
        if (boot.Connections.Count < limits.MaxConnections)
        {
            _byConnection[(boot.Repository, connection)] = boot;
            boot.Connections.Add(connection);
        }
    }

    private void Press(SortedBoot boot)
    {
        End(boot);
        pressed((TBoot)boot);
    }
}
