namespace Breakwater.Proxy.Boots;

/// <summary>
/// The boots as people look at them. However many people look, the boots are read at most once in <see cref="s_age"/>, and all share what
/// was read. Thread-safe.
/// </summary>
internal sealed class BootBoard(BootTimelines boots, TimeProvider time)
{
    private static readonly TimeSpan s_age = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private BootSnapshot? _snapshot;    // guarded by _gate
    private long _takenAt;              // guarded by _gate
    private (BootSnapshot Of, BootQuery Query, IReadOnlyList<BootLine> Boots)? _chosen; // guarded by _gate; the last question's, all pages

    /// <summary>The boots as they stood a second ago at most.</summary>
    public BootSnapshot Now
    {
        get
        {
            lock (_gate)
            {
                if (_snapshot is null || time.GetElapsedTime(_takenAt) >= s_age)
                {
                    _takenAt = time.GetTimestamp();
                    BootSnapshot taken = boots.Snapshot();
                    _snapshot = _snapshot?.Version == taken.Version ? _snapshot : taken;
                }

                return _snapshot;
            }
        }
    }

    /// <summary>A part of the boots of one storm; null when the storm is not known any more.</summary>
    public BootPage? Find(BootQuery query)
    {
        BootSnapshot now = Now;
        StormView? storm = query.Storm is { } id ? now.Storms.FirstOrDefault(one => one.Id == id) : now.Newest;
        if (storm is null)
        {
            return null;
        }

        IReadOnlyList<BootLine> chosen = Choose(now, storm, query with { Storm = storm.Id, Offset = 0, Limit = BootQuery.MaxLimit });
        return new BootPage(storm, chosen.Count, query.Offset,
            boots.Views(chosen.Skip(query.Offset).Take(query.Limit).Select(line => line.Id)));
    }

    /// <summary>Sorts the boots for a question once: its further pages, and others with the same question, share the result.</summary>
    private IReadOnlyList<BootLine> Choose(BootSnapshot now, StormView storm, BootQuery query)
    {
        lock (_gate)
        {
            if (_chosen is { } known && ReferenceEquals(known.Of, now) && known.Query == query)
            {
                return known.Boots;
            }
        }

        IReadOnlyList<BootLine> chosen = query.Choose(now.Of(storm));
        lock (_gate)
        {
            _chosen = (now, query, chosen);
        }

        return chosen;
    }
}
