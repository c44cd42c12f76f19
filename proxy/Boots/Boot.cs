namespace Breakwater.Proxy.Boots;

/// <summary>One VM's boot, as seen in its requests. Guarded by <see cref="BootTimelines"/>.</summary>
/// <param name="first">Its first request.</param>
/// <param name="id">Its number.</param>
/// <param name="startedAt">The time of its first request.</param>
internal sealed class Boot(in ObservedRequest first, int id, DateTimeOffset startedAt) : SortedBoot(first, MaxObjects)
{
    /// <summary>Objects told apart; no boot reads as many.</summary>
    public const int MaxObjects = 8192;

    public int Id => id;

    public DateTimeOffset StartedAt => startedAt;

    /// <summary>From its first request to its last answer.</summary>
    public TimeSpan Duration => LastAt - BeganAt;

    /// <summary>The end of its last answer, on the clock of the requests.</summary>
    public TimeSpan LastAt { get; set; } = first.At;

    public int Requests { get; set; }

    /// <summary>Requests for objects.</summary>
    public int Objects { get; set; }

    public long Bytes { get; set; }

    public long[] BytesBySource { get; } = new long[5];

    public BootState State { get; set; }

    /// <summary>Was its last request one that we, or the client, broke off? A client that was failed goes to the next proxy.</summary>
    public bool WasFailed { get; set; }

    /// <summary>How far it has been judged since its last request.</summary>
    public BootJudgement Judged { get; set; }

    /// <summary>It was whole: what comes later is the work of its users.</summary>
    public bool IsOver { get; set; }

    /// <summary>Is it among the whole boots that others are compared with?</summary>
    public bool IsPeer { get; set; }

    /// <summary>The first requests; empty when the memory budget took them back.</summary>
    public List<BootRequest> Details { get; set; } = [];

    /// <summary>What the texts of <see cref="Details"/> take in memory.</summary>
    public long DetailTextBytes { get; set; }

    /// <summary>Its place among the boots that are shown; null: not shown.</summary>
    public LinkedListNode<Boot>? Shown { get; set; }

    /// <summary>Its place among those that hold details; null: it holds none, and takes none any more.</summary>
    public LinkedListNode<Boot>? Detailed { get; set; }
}
