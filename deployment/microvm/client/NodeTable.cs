using Breakwater.CacheStore;

namespace Breakwater.Mount;

/// <summary>The nodes that the kernel knows; those that it forgets leave. Thread-safe.</summary>
internal sealed class NodeTable
{
    private readonly Dictionary<ulong, Node> _byId = []; // this and the next two: guarded by _gate
    private readonly Dictionary<ObjectKey, Node> _byIdentity = [];
    private readonly Lock _gate = new();
    private ulong _last = 1;

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _byId.Count;
            }
        }
    }

    /// <summary>The root, which is never forgotten.</summary>
    public void AddRoot(Node root)
    {
        lock (_gate)
        {
            _byId[root.Id] = root;
            _byIdentity[root.Identity] = root;
        }
    }

    /// <summary>The node of a number; null: the kernel has forgotten it.</summary>
    public Node? Find(ulong id)
    {
        lock (_gate)
        {
            return _byId.GetValueOrDefault(id);
        }
    }

    /// <summary>The node of an identity with one reference more; a new one where there is none.</summary>
    public Node Refer(ObjectKey identity, Func<ulong, Node> create)
    {
        lock (_gate)
        {
            if (!_byIdentity.TryGetValue(identity, out Node? node))
            {
                node = create(++_last);
                _byId[node.Id] = node;
                _byIdentity[identity] = node;
            }

            node.References++;
            return node;
        }
    }

    /// <summary>The kernel gives references back.</summary>
    public void Forget(ulong id, ulong references)
    {
        lock (_gate)
        {
            if (id == 1 || !_byId.TryGetValue(id, out Node? node))
            {
                return;
            }

            node.References -= Math.Min(references, node.References);
            if (node.References == 0)
            {
                _byId.Remove(id);
                _byIdentity.Remove(node.Identity);
            }
        }
    }
}
