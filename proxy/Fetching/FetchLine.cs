using System.Net;

namespace Breakwater.Proxy.Fetching;

/// <summary>Those of one priority who wait: clients take turns, and what one client wants keeps its order. Not thread-safe.</summary>
internal sealed class FetchLine
{
    /// <summary>Stands for the proxy itself.</summary>
    public static readonly IPAddress Own = IPAddress.None;

    // What a client wants of one cluster does not wait behind what it wants of another, which may be silent.
    private readonly Dictionary<(IPAddress Client, string? Cluster), Turn> _byClient = [];
    private readonly LinkedList<Turn> _turns = []; // who is next

    /// <summary>How many wait.</summary>
    public int Count { get; private set; }

    /// <summary>How many places of this client wait for this cluster.</summary>
    public int CountOf(IPAddress client, string? cluster) =>
        _byClient.TryGetValue((client, cluster), out Turn? turn) ? turn.Places.Count : 0;

    /// <summary>It waits behind what its client waits for already.</summary>
    public void Add(FetchPlace place)
    {
        if (!_byClient.TryGetValue((place.Client, place.Cluster), out Turn? turn))
        {
            _byClient[(place.Client, place.Cluster)] = turn = new Turn((place.Client, place.Cluster));
            _turns.AddLast(turn.Node);
        }

        place.Node = turn.Places.AddLast(place);
        Count++;
    }

    /// <summary>It waits no longer.</summary>
    public void Remove(FetchPlace place)
    {
        Turn turn = _byClient[(place.Client, place.Cluster)];
        turn.Places.Remove(place.Node!);
        place.Node = null;
        Count--;
        if (turn.Places.Count == 0)
        {
            _byClient.Remove(turn.Key);
            _turns.Remove(turn.Node);
        }
    }

    /// <summary>Takes the next one that may run; its client is the last to be asked again. Null: none may.</summary>
    public FetchPlace? TakeNext(Predicate<FetchPlace> mayRun)
    {
        for (LinkedListNode<Turn>? node = _turns.First; node is not null; node = node.Next)
        {
            FetchPlace first = node.Value.Places.First!.Value;
            if (mayRun(first))
            {
                Remove(first);
                if (node.List is not null)
                {
                    _turns.Remove(node);
                    _turns.AddLast(node);
                }

                return first;
            }
        }

        return null;
    }

    private sealed class Turn
    {
        public Turn((IPAddress Client, string? Cluster) key)
        {
            Key = key;
            Node = new LinkedListNode<Turn>(this);
        }

        public (IPAddress Client, string? Cluster) Key { get; }

        public LinkedList<FetchPlace> Places { get; } = [];

        public LinkedListNode<Turn> Node { get; }
    }
}
