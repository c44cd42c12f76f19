using Breakwater.CacheStore;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Boots;

/// <summary>
/// Follows the boots of VMs through the requests that they make; what a boot is, <see cref="BootSorter{TBoot}"/> says. Fed by the record
/// pump, so a hit costs nothing more. Each record costs a bounded time, and memory is bounded: <see cref="MaxBoots"/> boots shown and as
/// many followed, <see cref="MaxDetails"/> requests in all (about 26 MB) with <see cref="MaxDetailTextBytes"/> of text; the oldest boots
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

    /// <summary>Comparisons of objects in one round of judging, about 50 ms; the rest is for the next round.</summary>
    private const int MaxComparisons = 5_000_000;

    /// <summary>A boot is looked at again when others got further, so often: by then all whole boots that are kept came after it.</summary>
    private const int MaxJudgedAgain = 16;

    private static readonly TimeSpan s_round = TimeSpan.FromSeconds(1);

    /// <summary>A VM that asks for nothing this long is done, if nothing speaks against it: Micro-CernVM's own patience is 5 s.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(8);

    /// <summary>A VM that is silent this long in the middle has stopped; if it goes on after all, so does its boot.</summary>
    private static readonly TimeSpan s_silence = new BootRecorderLimits().Silence;

    private readonly TimeSpan _window;
    private readonly Lock _gate = new();
    private readonly BootSorter<Boot> _followed;                // guarded by _gate, as all below
    private readonly LinkedList<Boot> _shown = [];              // oldest first
    private readonly Dictionary<int, Boot> _byId = [];          // those that are shown
    private readonly LinkedList<Storm> _storms = [];            // of those that are shown, oldest first
    private readonly LinkedList<Boot> _detailed = [];           // those that hold details, oldest first
    private int _nextStorm = 1;
    private long _version;
    private readonly WholeBoots _whole = new();
    private readonly Queue<Boot> _unjudged = [];                // passed for done, perhaps because no other was whole yet
    private bool _hasNewPeers;
    private int _details;
    private long _detailTextBytes;
    private int _nextId = 1;
    private TimeSpan _judgedAt;
    private RecordClock _clock;

    /// <summary>Follows boots.</summary>
    /// <param name="options">How long a boot is followed.</param>
    public BootTimelines(WorkingSetOptions options)
    {
        _window = options.BootWindow;
        _followed = new BootSorter<Boot>(new BootSorterLimits { MaxBoots = MaxBoots }, BeginLocked, boot => LeaveLocked(boot));
    }

    /// <inheritdoc/>
    public void Take(ReadOnlySpan<RequestRecord> records, RecordClock clock)
    {
        lock (_gate)
        {
            _clock = clock;
            foreach (ref readonly RequestRecord record in records)
            {
                if (record.Client is not null && record.Fqrn is not null && record.Connection is not null)
                {
                    NoteLocked(record);
                }
            }

            TimeSpan now = SinceStart(clock.Timestamp);
            if (now - _judgedAt >= s_round)
            {
                _judgedAt = now;
                JudgeLocked(now);
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
                return (_followed.Count + _shown.Count(boot => boot.Place is null), _detailed.Count, _details, _detailTextBytes);
            }
        }
    }

    /// <summary>All boots that are shown, as they stand; costs time only for the storms that have changed since the last call.</summary>
    public BootSnapshot Snapshot()
    {
        lock (_gate)
        {
            if (_shown.Count == 0)
            {
                return new BootSnapshot(0, [], []); // perhaps there is no clock yet, either
            }

            TimeSpan now = SinceStart(_clock.Timestamp);
            List<StormView> views = new(_storms.Count);
            List<BootLine[]> lines = new(_storms.Count);
            bool hasChanged = false;
            for (LinkedListNode<Storm>? node = _storms.Last; node is not null; node = node.Previous)
            {
                hasChanged |= node.Value.Look(isOpen: node.Next is null && node.Value.Reaches(now));
                views.Add(node.Value.View!);
                lines.Add(node.Value.Lines);
            }

            _version += hasChanged ? 1 : 0;
            return new BootSnapshot(_version, views, lines);
        }
    }

    /// <summary>These boots with all that is shown of them, in that order; those that are not known any more are left out.</summary>
    public IReadOnlyList<BootView> Views(IEnumerable<int> ids)
    {
        lock (_gate)
        {
            return [.. ids.Select(id => _byId.GetValueOrDefault(id)).OfType<Boot>().Select(boot => boot.View)];
        }
    }

    /// <summary>The requests of one boot; null when it is not known.</summary>
    public (BootView Boot, IReadOnlyList<BootRequest> Requests)? Find(int id)
    {
        lock (_gate)
        {
            return _byId.TryGetValue(id, out Boot? boot) ? (boot.View, [.. boot.Details]) : null;
        }
    }

    private TimeSpan SinceStart(long timestamp) => _clock.Time.GetElapsedTime(0, timestamp);

    private Boot BeginLocked(ObservedRequest first)
    {
        var boot = new Boot(first, _nextId++, _clock.Now - (SinceStart(_clock.Timestamp) - first.At));
        boot.Detailed = _detailed.AddLast(boot);
        return boot;
    }

    private void NoteLocked(in RequestRecord record)
    {
        TimeSpan at = SinceStart(record.StartedAt);
        bool isManifest = !record.HasKey && record.Target is not null
            && record.Target.EndsWith("/.cvmfspublished", StringComparison.Ordinal);
        Fqrn repository = record.Fqrn!.Value;
        Boot? boot = record.HasKey || isManifest
            ? _followed.Assign(
                new ObservedRequest(repository, record.HasKey ? record.Key : null, record.Client!, record.Connection!, at), out _)
            : _followed.BoundTo(repository, record.Connection!);
        if (boot is null or { IsOver: true })
        {
            return;
        }

        boot.Requests++;
        boot.Refused += record.Result == RequestResult.Refused ? 1 : 0;
        boot.Objects += record.HasKey ? 1 : 0;
        boot.Bytes += record.BytesSent;
        boot.BytesBySource[(int)record.Source] += record.BytesSent;
        boot.WasFailed = record.Result == RequestResult.ClientGone || record.Status >= 500;
        TimeSpan end = SinceStart(record.EndedAt);
        boot.LastAt = end > boot.LastAt ? end : boot.LastAt;
        boot.Bar.Add((at - boot.BeganAt).TotalMilliseconds, (end - boot.BeganAt).TotalMilliseconds, BootBar.UseOf(record.Source));
        boot.State = BootState.Booting;
        boot.Judged = BootJudgement.None;
        boot.Changed();
        if (boot.Detailed is not null && boot.Details.Count < MaxDetailsPerBoot)
        {
            string? name = record.HasKey ? record.PathHint : record.PathHint ?? record.Target;
            name = name?.Length > RequestRecord.MaxTextChars ? name[..RequestRecord.MaxTextChars] : name;
            boot.Details.Add(new BootRequest(
                (at - boot.BeganAt).TotalMilliseconds, (float)(end - at).TotalMilliseconds, record.Source, record.Result,
                record.BytesSent, record.Key, record.HasKey, name));
            _details++;
            boot.DetailTextBytes += HeapCost.Of(name);
            _detailTextBytes += HeapCost.Of(name);
        }

        if (boot.Shown is null && boot.Objects >= MinObjects)
        {
            ShowLocked(boot);
        }
        else if (boot.Storm is { } storm && boot.LastAt > storm.LastAt)
        {
            storm.LastAt = boot.LastAt;
        }

        ForgetLocked();
    }

    private void ShowLocked(Boot boot)
    {
        boot.Shown = _shown.AddLast(boot);
        _byId.Add(boot.Id, boot);
        if (_storms.Last is not { } last || !last.Value.Reaches(boot.BeganAt))
        {
            last = _storms.AddLast(new Storm(_nextStorm++, boot));
        }

        boot.Storm = last.Value;
        boot.Storm.Add(boot);
        boot.Changed();
    }

    /// <summary>Looks at the boots that have fallen silent, as many as one round allows.</summary>
    private void JudgeLocked(TimeSpan now)
    {
        int left = MaxComparisons;
        BootFront? front = null;
        foreach (Boot boot in _followed.Boots)
        {
            TimeSpan silence = now - boot.LastAt;
            BootJudgement due = silence >= s_silence ? BootJudgement.Silent : silence >= s_pause
                ? BootJudgement.Paused
                : BootJudgement.None;
            if (due > boot.Judged && left > 0)
            {
                left -= JudgeLocked(boot, due, ref front);
            }

            if (now - boot.BeganAt >= _window && due != BootJudgement.Paused && (due == boot.Judged || boot.IsOver))
            {
                _followed.End(boot);
                LeaveLocked(boot);
            }
        }

        if (_hasNewPeers)
        {
            _hasNewPeers = JudgeAgainLocked(left) <= 0;
        }
    }

    /// <summary>
    /// Looks again at boots that were judged before others of their kind were whole. Gives what is left of the round's comparisons.
    /// </summary>
    private int JudgeAgainLocked(int left)
    {
        for (int i = _unjudged.Count; i > 0; i--)
        {
            Boot boot = _unjudged.Dequeue();
            if (boot is not { Shown: not null, Judged: BootJudgement.Silent, TimesJudgedAgain: < MaxJudgedAgain }
                or { State: not BootState.Done, IsBehind: false })
            {
                continue;
            }

            _unjudged.Enqueue(boot);
            if (left > 0 && (boot.IsBehind || boot.Seen.Count < _whole.LongestOf(boot.Repository) * WholeBoots.AsLong))
            {
                boot.TimesJudgedAgain++;
                left -= _whole.CostOf(boot.Repository);
                BootVerdict verdict = _whole.Judge(boot.Repository, boot.Seen);
                if (verdict == BootVerdict.Short)
                {
                    (boot.State, boot.IsOver, boot.IsBehind) = (BootState.Stopped, false, false);
                }
                else if (verdict == BootVerdict.Whole && boot.IsBehind)
                {
                    (boot.State, boot.IsOver, boot.IsBehind) = (BootState.Done, true, false);
                }
            }
        }

        return left;
    }

    /// <summary>Judges a boot that has fallen silent, and gives what that cost.</summary>
    private int JudgeLocked(Boot boot, BootJudgement due, ref BootFront? front)
    {
        boot.Judged = due;
        if (boot.IsOver || boot.Shown is null)
        {
            boot.State = BootState.Done;
            return 1;
        }

        int cost = _whole.CostOf(boot.Repository);
        BootVerdict verdict = _whole.Judge(boot.Repository, boot.Seen);
        bool isShort = verdict == BootVerdict.Short;
        boot.IsBehind = false;
        if (verdict == BootVerdict.Unknown)
        {
            boot.IsBehind = (front ??= new BootFront(_followed.Boots)).IsBehind(boot);
            isShort = boot.IsBehind || boot.WasFailed;
            cost += BootFront.CostOf(boot);
        }

        boot.State = !isShort ? BootState.Done : due == BootJudgement.Silent || boot.WasFailed ? BootState.Stopped : BootState.Booting;
        if (due == BootJudgement.Silent && (!isShort || boot.IsBehind))
        {
            _unjudged.Enqueue(boot);
            _ = _unjudged.Count > MaxBoots ? _unjudged.Dequeue() : null;
        }

        if (due == BootJudgement.Silent && !isShort)
        {
            boot.IsOver = verdict == BootVerdict.Whole;
            if (!boot.IsPeer)
            {
                boot.IsPeer = true;
                _hasNewPeers = true;
                _whole.Add(boot.Repository, boot.Seen);
            }
        }

        return cost;
    }

    /// <summary>A boot that is followed no longer.</summary>
    private void LeaveLocked(Boot boot)
    {
        boot.State = boot.State == BootState.Booting ? BootState.Done : boot.State;
        if (boot.Shown is null)
        {
            DropDetailsLocked(boot);
        }
    }

    private void ForgetLocked()
    {
        while (_shown.Count > MaxBoots)
        {
            Boot oldest = _shown.First!.Value;
            oldest.Storm!.First = _shown.First.Next!;
            _shown.RemoveFirst();
            oldest.Shown = null;
            _byId.Remove(oldest.Id);
            while (_storms.First!.Value.Id < _shown.First!.Value.Storm!.Id)
            {
                _storms.RemoveFirst();
            }

            oldest.Changed();
            DropDetailsLocked(oldest);
            _followed.End(oldest);
        }

        while ((_details > MaxDetails || _detailTextBytes > MaxDetailTextBytes) && _detailed.First is { } first)
        {
            DropDetailsLocked(first.Value);
        }
    }

    private void DropDetailsLocked(Boot boot)
    {
        if (boot.Detailed is not null)
        {
            _detailed.Remove(boot.Detailed);
            boot.Detailed = null;
            _details -= boot.Details.Count;
            _detailTextBytes -= boot.DetailTextBytes;
            (boot.Details, boot.DetailTextBytes) = ([], 0);
        }
    }
}
