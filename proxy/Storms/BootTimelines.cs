using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Observability;

namespace Breakwater.Proxy.Storms;

/// <summary>Where a boot stands.</summary>
internal enum BootState : byte
{
    /// <summary>It has asked for something lately.</summary>
    Booting,

    /// <summary>It has asked for what others ask for.</summary>
    Done,

    /// <summary>It stopped half-way: probably that VM went past the proxy (DIRECT), or died.</summary>
    Stopped,
}

/// <summary>One request of a boot. Times in milliseconds.</summary>
internal readonly record struct BootRequest(int StartMs, int DurationMs, ByteSource Source, RequestResult Result, long Bytes, ObjectKey Key, bool HasKey, string? Target);

/// <summary>One VM's boot, as seen in its requests. Guarded by <see cref="BootTimelines"/>.</summary>
internal sealed class Boot(int id, IPAddress client, DateTimeOffset startedAt)
{
    public int Id => id;

    public IPAddress Client => client;

    public DateTimeOffset StartedAt { get; } = startedAt;

    public DateTimeOffset LastAt { get; set; } = startedAt;

    public string? Fqrn { get; set; }

    public int Requests { get; set; }

    public int Objects { get; set; }

    public long Bytes { get; set; }

    public long[] BytesBySource { get; } = new long[5];

    public BootState State { get; set; }

    /// <summary>The first requests; empty when the memory budget took them back.</summary>
    public List<BootRequest> Details { get; set; } = [];

    /// <summary>What the texts of <see cref="Details"/> take in memory.</summary>
    public long DetailTextBytes { get; set; }

    /// <summary>Its place among all boots, so that it is removed without a search.</summary>
    public LinkedListNode<Boot>? Place { get; set; }

    /// <summary>Its place among those that hold details; null: it is not among them.</summary>
    public LinkedListNode<Boot>? DetailedPlace { get; set; }
}

/// <summary>
/// Follows each client's boot through the requests it makes: from its first request to a pause. Fed by the record pump, so a hit costs nothing more.
/// Memory is bounded: <see cref="MaxBoots"/> boots, <see cref="MaxDetails"/> requests in all (about 24 MB) with <see cref="MaxDetailTextBytes"/> of text, the oldest boots
/// lose theirs first. Thread-safe.
/// </summary>
internal sealed class BootTimelines : IRecordSink
{
    public const int MaxBoots = 12_000;
    public const int MaxDetails = 300_000;
    public const long MaxDetailTextBytes = 32L << 20;
    private const int MaxDetailsPerBoot = 1500;

    /// <summary>Fewer objects are a mount or a check, no boot.</summary>
    private const int MinObjects = 10;

    /// <summary>How many boots that ended tell what a whole boot is.</summary>
    private const int MinPeers = 3;

    /// <summary>A VM that asks for nothing this long is done, or gone: Micro-CernVM's own patience is 5 s.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(8);

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, Boot> _open = [];    // guarded by _gate
    private readonly LinkedList<Boot> _boots = [];              // guarded by _gate; oldest first
    private readonly LinkedList<Boot> _detailed = [];           // guarded by _gate; those that hold details, oldest first
    private int _details;                                       // guarded by _gate
    private long _detailTextBytes;                              // guarded by _gate
    private int _nextId = 1;                                    // guarded by _gate
    private DateTimeOffset _swept;                              // guarded by _gate

    /// <inheritdoc/>
    public void Take(ReadOnlySpan<RequestRecord> records, RecordClock clock)
    {
        lock (_gate)
        {
            foreach (ref readonly RequestRecord record in records)
            {
                if (record.Client is not null && record.Fqrn is not null)
                {
                    NoteLocked(record, clock);
                }
            }

            if (clock.Now - _swept > TimeSpan.FromSeconds(1))
            {
                _swept = clock.Now;
                SweepLocked(clock.Now);
            }
        }
    }

    /// <summary>What is held right now, for tests: boots, those of them with details, details, bytes of their texts.</summary>
    internal (int Boots, int Detailed, int Details, long TextBytes) Held
    {
        get
        {
            lock (_gate)
            {
                return (_boots.Count, _detailed.Count, _details, _detailTextBytes);
            }
        }
    }

    /// <summary>The boots that are worth showing, copied: those under way and the latest that ended, newest storms first, the slowest first within.</summary>
    public IReadOnlyList<BootView> List(int limit)
    {
        lock (_gate)
        {
            return [.. _boots.Where(b => b.Objects >= MinObjects).TakeLast(MaxBoots).Select(BootView.Of).OrderByDescending(b => b.DurationMs).Take(limit)];
        }
    }

    /// <summary>The requests of one boot; null when it is not known.</summary>
    public (BootView Boot, IReadOnlyList<BootRequest> Requests)? Find(int id)
    {
        lock (_gate)
        {
            return _boots.FirstOrDefault(b => b.Id == id) is { } boot ? (BootView.Of(boot), [.. boot.Details]) : null;
        }
    }

    /// <summary>The storm: boots that follow each other without a pause of 30 s, up to now.</summary>
    public StormView Storm()
    {
        lock (_gate)
        {
            List<Boot> storm = [];
            DateTimeOffset earliest = DateTimeOffset.MaxValue;
            for (LinkedListNode<Boot>? node = _boots.Last; node is not null; node = node.Previous)
            {
                Boot boot = node.Value;
                if (boot.Objects < MinObjects)
                {
                    continue;
                }

                if (storm.Count > 0 && boot.LastAt < earliest - TimeSpan.FromSeconds(30))
                {
                    break;
                }

                storm.Add(boot);
                earliest = boot.StartedAt < earliest ? boot.StartedAt : earliest;
            }

            int booting = storm.Count(b => b.State == BootState.Booting);
            double[] durations = [.. storm.Where(b => b.State == BootState.Done).Select(b => (b.LastAt - b.StartedAt).TotalMilliseconds).Order()];
            double? typical = durations.Length == 0 ? null : durations[durations.Length * 9 / 10];
            DateTimeOffset? end = booting > 0 && typical is { } ms ? storm.Where(b => b.State == BootState.Booting).Max(b => b.StartedAt).AddMilliseconds(ms) : null;
            return new StormView(
                booting,
                durations.Length,
                storm.Count(b => b.State == BootState.Stopped),
                storm.Count == 0 ? null : earliest,
                end,
                durations.Length == 0 ? null : durations[durations.Length / 2],
                durations.Length == 0 ? null : durations[^1]);
        }
    }

    private void NoteLocked(in RequestRecord record, RecordClock clock)
    {
        DateTimeOffset at = clock.At(record.StartedAt);
        bool isManifest = !record.HasKey && record.Target is not null && record.Target.EndsWith("/.cvmfspublished", StringComparison.Ordinal);
        if (!_open.TryGetValue(record.Client!, out Boot? boot) || (isManifest && boot.Objects >= MinObjects))
        {
            if (boot is not null)
            {
                EndLocked(boot);
            }

            boot = new Boot(_nextId++, record.Client!, at);
            _open[record.Client!] = boot;
            boot.Place = _boots.AddLast(boot);
            boot.DetailedPlace = _detailed.AddLast(boot);
            ForgetLocked();
        }

        boot.Fqrn ??= record.Fqrn;
        boot.Requests++;
        boot.Objects += record.HasKey ? 1 : 0;
        boot.Bytes += record.BytesSent;
        boot.BytesBySource[(int)record.Source] += record.BytesSent;
        DateTimeOffset end = clock.At(record.EndedAt);
        boot.LastAt = end > boot.LastAt ? end : boot.LastAt;
        if (boot.DetailedPlace is not null && boot.Details.Count < MaxDetailsPerBoot)
        {
            string? name = record.HasKey ? record.PathHint : record.PathHint ?? record.Target;
            name = name?.Length > RequestRecord.MaxTextChars ? name[..RequestRecord.MaxTextChars] : name;
            boot.Details.Add(new BootRequest(
                (int)(at - boot.StartedAt).TotalMilliseconds, (int)Math.Ceiling((end - at).TotalMilliseconds), record.Source, record.Result, record.BytesSent, record.Key, record.HasKey, name));
            _details++;
            boot.DetailTextBytes += HeapCost.Of(name);
            _detailTextBytes += HeapCost.Of(name);
            if (_detailTextBytes > MaxDetailTextBytes)
            {
                ForgetLocked();
            }
        }
    }

    private void SweepLocked(DateTimeOffset now)
    {
        foreach (Boot boot in _open.Values.Where(b => now - b.LastAt > s_pause).ToList())
        {
            _open.Remove(boot.Client);
            EndLocked(boot);
        }
    }

    private void EndLocked(Boot boot)
    {
        int[] peers = [.. _boots.Reverse().Where(b => b.State == BootState.Done && b.Fqrn == boot.Fqrn && b.Objects >= MinObjects).Take(100).Select(b => b.Objects).Order()];
        boot.State = peers.Length >= MinPeers && boot.Objects < 0.9 * peers[peers.Length / 2] ? BootState.Stopped : BootState.Done;
        if (boot.Objects < MinObjects)
        {
            RemoveLocked(boot);
        }
    }

    private void RemoveLocked(Boot boot)
    {
        DropDetailsLocked(boot);
        if (boot.Place is { List: not null } place)
        {
            _boots.Remove(place);
        }
    }

    private void DropDetailsLocked(Boot boot)
    {
        if (boot.DetailedPlace is not { } place)
        {
            return;
        }

        _detailed.Remove(place);
        boot.DetailedPlace = null;
        _details -= boot.Details.Count;
        _detailTextBytes -= boot.DetailTextBytes;
        boot.Details = [];
        boot.DetailTextBytes = 0;
    }

    private void ForgetLocked()
    {
        while (_boots.Count > MaxBoots)
        {
            Boot oldest = _boots.First!.Value;
            RemoveLocked(oldest);
            if (_open.TryGetValue(oldest.Client, out Boot? open) && open == oldest)
            {
                _open.Remove(oldest.Client);
            }
        }

        while ((_details > MaxDetails || _detailTextBytes > MaxDetailTextBytes) && _detailed.First is { } first)
        {
            DropDetailsLocked(first.Value);
        }
    }
}

/// <summary>A boot for people: times in milliseconds, <paramref name="Segments"/> are the bar from left to right in equal slices (m, d, j, u, or - for waiting).</summary>
internal sealed record BootView(
    int Id, string Client, string? Repository, DateTimeOffset StartedAt, double DurationMs, int Requests, int Objects, long Bytes, BootState State, string Segments, long Memory, long Disk, long Joined, long Upstream)
{
    private const int Slices = 48;

    /// <summary>Copies it.</summary>
    public static BootView Of(Boot boot)
    {
        double duration = (boot.LastAt - boot.StartedAt).TotalMilliseconds;
        return new BootView(
            boot.Id,
            (boot.Client.IsIPv4MappedToIPv6 ? boot.Client.MapToIPv4() : boot.Client).ToString(),
            boot.Fqrn,
            boot.StartedAt,
            duration,
            boot.Requests,
            boot.Objects,
            boot.Bytes,
            boot.State,
            SegmentsOf(boot, duration),
            boot.BytesBySource[(int)ByteSource.Memory],
            boot.BytesBySource[(int)ByteSource.Disk],
            boot.BytesBySource[(int)ByteSource.Joined],
            boot.BytesBySource[(int)ByteSource.Upstream]);
    }

    /// <summary>In each slice, what most of the time was spent on.</summary>
    private static string SegmentsOf(Boot boot, double duration)
    {
        if (boot.Details.Count == 0)
        {
            int most = Array.IndexOf(boot.BytesBySource, boot.BytesBySource.Max());
            return new string("-mdju"[most], 1);
        }

        double slice = Math.Max(1, duration) / Slices;
        var spent = new double[Slices, 5];
        foreach (BootRequest request in boot.Details)
        {
            double end = request.StartMs + Math.Max(1, request.DurationMs);
            int last = Math.Min(Slices - 1, (int)(end / slice));
            for (int i = Math.Min(Slices - 1, (int)(Math.Max(0, request.StartMs) / slice)); i <= last; i++)
            {
                spent[i, (int)request.Source] += Math.Max(0, Math.Min(end, (i + 1) * slice) - Math.Max(request.StartMs, i * slice));
            }
        }

        return string.Create(Slices, spent, static (text, spent) =>
        {
            for (int i = 0; i < text.Length; i++)
            {
                int best = 0;
                for (int s = 1; s < 5; s++)
                {
                    best = spent[i, s] > (best == 0 ? 0 : spent[i, best]) ? s : best;
                }

                text[i] = "-mdju"[best];
            }
        });
    }
}

/// <summary>The storm right now. Durations in milliseconds, of boots that are done.</summary>
internal sealed record StormView(int Booting, int Done, int Stopped, DateTimeOffset? StartedAt, DateTimeOffset? EstimatedEnd, double? MedianMs, double? MaxMs);
