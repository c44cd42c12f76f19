using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// The Stratum 1s that a fetch may still ask, in order. Each is asked once; one whose transfer broke half-way, or that was one of several
/// authors of a wrong body, may be asked once more after all the others. Not thread-safe.
/// </summary>
internal sealed class CandidateCursor(IReadOnlyList<Stratum1> order, UpstreamFailure? nobody = null)
{
    private readonly LinkedList<Stratum1> _left = new(order);
    private readonly LinkedList<Stratum1> _silent = new();
    private readonly HashSet<Stratum1> _again = [];
    private readonly HashSet<Stratum1> _troubled = [];

    /// <summary>How many there were at first.</summary>
    public int Count { get; } = order.Count;

    /// <summary>
    /// Set: these are nodes of the site, and the first has so long to begin its answer, the next half as long. What they say of an object
    /// is no verdict, since the Stratum 1s are asked after them.
    /// </summary>
    public TimeSpan? HeadTimeout { get; init; }

    /// <summary>How many said 404.</summary>
    public int NotFound { get; set; }

    /// <summary>
    /// Is a service beside the files asked (the geo API), with words that a client made up? Then only a Stratum 1 that cannot be reached
    /// has failed, and any other answer says that it is up.
    /// </summary>
    public bool IsAside { get; init; }

    /// <summary>The last failure, for the client and the log.</summary>
    public UpstreamFailure? LastFailure { get; set; }

    /// <summary>Those that failed, whatever they were asked for: who comes by another way asks them after the others.</summary>
    public IReadOnlyCollection<Stratum1> Troubled => _troubled;

    /// <summary>Is one left?</summary>
    public bool HasNext => HasPrompt || _silent.Count > 0;

    /// <summary>Is one left that was not silent when it was asked?</summary>
    public bool HasPrompt => _left.Count > 0;

    /// <summary>The next to ask; null when none is left.</summary>
    public Stratum1? Next()
    {
        LinkedList<Stratum1> line = HasPrompt ? _left : _silent;
        Stratum1? next = line.First?.Value;
        if (next is not null)
        {
            line.RemoveFirst();
        }

        return next;
    }

    /// <summary>May it be asked once more?</summary>
    public bool MayRequeue(Stratum1 upstream) => !_again.Contains(upstream);

    /// <summary>Puts one at the end of the line, once.</summary>
    public void Requeue(Stratum1 upstream)
    {
        if (_again.Add(upstream))
        {
            _left.AddLast(upstream);
        }
    }

    /// <summary>Puts one at the head of the line, once: it is to answer for a whole body of its own.</summary>
    public void RequeueFirst(Stratum1 upstream)
    {
        if (_again.Add(upstream))
        {
            _left.AddFirst(upstream);
        }
    }

    /// <summary>Puts one that was not heard out at the end of the line.</summary>
    public void PutBack(Stratum1 upstream) => _left.AddLast(upstream);

    /// <summary>
    /// Puts one that was too slow to be heard behind all others: another answered first, and what he began may break off.
    /// </summary>
    public void PutOff(Stratum1 upstream) => _silent.AddLast(upstream);

    /// <summary>Moves one to the end of the line, if it has not been asked.</summary>
    public void PutLast(Stratum1 upstream)
    {
        if (_left.Remove(upstream))
        {
            _left.AddLast(upstream);
        }
    }

    /// <summary>Orders those that have not been asked anew: by this rank, and as they were within it.</summary>
    public void Order(Func<Stratum1, int> rank)
    {
        Stratum1[] order = [.. _left.OrderBy(rank)];
        _left.Clear();
        Array.ForEach(order, one => _left.AddLast(one));
    }

    /// <summary>It failed.</summary>
    public void NoteTrouble(Stratum1 upstream) => _troubled.Add(upstream);

    /// <summary>Why nothing came: 404 when every one said so.</summary>
    public UpstreamFailure ToFailure() =>
        nobody is not null ? nobody
        : Count == 0 ? new UpstreamFailure(FailureKind.NoUpstream, "no Stratum 1 is configured for this repository")
        : NotFound >= Count ? new UpstreamFailure(FailureKind.NotFound, $"none of {Count} Stratum 1s has it")
        : LastFailure is { Kind: not FailureKind.NotFound } last ? last
        : new UpstreamFailure(FailureKind.Broken, "no Stratum 1 is left to ask");
}
