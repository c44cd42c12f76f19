namespace Breakwater.Proxy.Boots;

/// <summary>One VM's boot, as seen in its requests. Guarded by <see cref="BootTimelines"/>.</summary>
/// <param name="first">Its first request.</param>
/// <param name="id">Its number.</param>
/// <param name="startedAt">The time of its first request.</param>
internal sealed class Boot(in ObservedRequest first, int id, DateTimeOffset startedAt) : SortedBoot(first, MaxObjects)
{
    /// <summary>Objects told apart; no boot reads as many.</summary>
    public const int MaxObjects = 8192;

    private readonly string _clientText =
        (first.Client.IsIPv4MappedToIPv6 ? first.Client.MapToIPv4() : first.Client).ToString();

    private BootLine? _line;
    private BootView? _view;

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

    public BootState State
    {
        get;
        set
        {
            if (field != value)
            {
                field = value;
                Changed();
            }
        }
    }

    /// <summary>Requests that were refused.</summary>
    public int Refused { get; set; }

    /// <summary>What its time was spent on.</summary>
    public BootBar Bar { get; } = new();

    /// <summary>The storm that it belongs to; null until it is shown.</summary>
    public Storm? Storm { get; set; }

    /// <summary>As it stands, made anew when somebody looks after a change.</summary>
    public BootLine Line => _line ??= new BootLine(Id, Storm?.Id ?? 0, Client, _clientText, Repository, StartedAt,
        Duration.TotalMilliseconds, Requests, Objects, Refused, Bytes, State);

    /// <summary>All that is shown of it, made anew in the same way.</summary>
    public BootView View => _view ??= BootView.Of(this);

    /// <summary>Was its last request one that we, or the client, broke off? A client that was failed goes to the next proxy.</summary>
    public bool WasFailed { get; set; }

    /// <summary>How far it has been judged since its last request.</summary>
    public BootJudgement Judged { get; set; }

    /// <summary>How often it was looked at again since others got further.</summary>
    public byte TimesJudgedAgain { get; set; }

    /// <summary>Was it found short of others that were not whole yet? It is judged again when they are.</summary>
    public bool IsBehind { get; set; }

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

    /// <summary>What was worked out of it before holds no longer.</summary>
    public void Changed()
    {
        (_line, _view) = (null, null);
        if (Storm is { } storm)
        {
            storm.View = null;
        }
    }
}
