using Breakwater.CacheStore;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// The site's other nodes, as whoever fetches sees them: servers that are asked before a Stratum 1. A node of its own has none
/// (<see cref="NoNodes"/>). Thread-safe.
/// </summary>
internal interface ISiteNodes
{
    /// <summary>How long the first one asked may take to begin its answer; the next has half as long.</summary>
    TimeSpan HeadTimeout { get; }

    /// <summary>How they stand, for people; null: there are none.</summary>
    string? Summary { get; }

    /// <summary>Who is asked for an object before a Stratum 1, in order; empty: nobody, since it is this node's own.</summary>
    IReadOnlyList<Stratum1> Before(in ObjectKey key);

    /// <summary>Who is asked for what has a name, such as a repository's documents.</summary>
    IReadOnlyList<Stratum1> Before(string name);

    /// <summary>
    /// Who may hold what this node is about to ask a Stratum 1 for: who was the owner before it, or, while not all nodes see the same
    /// members, who is; offline, when nobody else can be asked, all. They are asked only for what they hold or are getting.
    /// </summary>
    IReadOnlyList<Stratum1> Holders(in ObjectKey key);

    /// <summary>This node's part of what the site may have under way at a time: by the number of live nodes, rounded up.</summary>
    int ShareOf(int limit);

    /// <summary>Adds to a request what tells a node who asks.</summary>
    void Sign(HttpRequestMessage request);

    /// <summary>Connections to nodes: by mutual TLS alone.</summary>
    void Configure(SocketsHttpHandler handler);

    /// <summary>It did what was asked.</summary>
    void NoteAnswer(Stratum1 node);

    /// <summary>It failed.</summary>
    void NoteFailure(Stratum1 node, FailureKind kind);

    /// <summary>A body came from it.</summary>
    /// <param name="node">The node.</param>
    /// <param name="bytes">Its length.</param>
    /// <param name="isMoved">It held what this node would have asked a Stratum 1 for.</param>
    void NoteBorrowed(Stratum1 node, long bytes, bool isMoved);

    /// <summary>One more was asked beside a node that was silent.</summary>
    void NoteHedge();
}
