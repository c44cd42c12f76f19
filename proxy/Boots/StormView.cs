namespace Breakwater.Proxy.Boots;

/// <summary>A storm: boots that follow each other without a pause of 30 s. Durations in milliseconds, of boots that are done.</summary>
/// <param name="Booting">Boots that go on.</param>
/// <param name="Done">Boots that are whole, as far as anybody knows.</param>
/// <param name="Stopped">Boots that stopped half-way.</param>
/// <param name="StartedAt">The time of its first request; null when there was no boot.</param>
/// <param name="EstimatedEnd">When the last of those that boot will be done, if they are no faster than nine tenths were.</param>
/// <param name="MedianMs">Half of the boots took no longer.</param>
/// <param name="MaxMs">The slowest.</param>
internal sealed record StormView(int Booting, int Done, int Stopped, DateTimeOffset? StartedAt, DateTimeOffset? EstimatedEnd,
    double? MedianMs, double? MaxMs)
{
    /// <summary>No boot was seen.</summary>
    public static readonly StormView None = new(0, 0, 0, null, null, null, null);

    /// <summary>Its number, for <c>boots?storm=</c>; null for one of which only this line is kept.</summary>
    public int? Id { get; init; }

    /// <summary>All boots.</summary>
    public int Boots { get; init; }

    /// <summary>99 of 100 boots took no longer.</summary>
    public double? P99Ms { get; init; }

    /// <summary>From its first request to the end of its last answer so far.</summary>
    public double DurationMs { get; init; }

    /// <summary>Does a boot go on, or may one follow?</summary>
    public bool IsRunning { get; init; }

    /// <summary>Requests of its boots that were refused.</summary>
    public long Refused { get; init; }

    /// <summary>Works it out.</summary>
    /// <param name="id">Its number.</param>
    /// <param name="boots">All of its boots that are kept.</param>
    /// <param name="isOpen">May another boot follow?</param>
    public static StormView Of(int id, BootLine[] boots, bool isOpen)
    {
        if (boots.Length == 0)
        {
            return None;
        }

        double[] times = new double[boots.Length];
        (int done, int booting, long refused, double lasts) = (0, 0, 0, 0);
        (DateTimeOffset started, DateTimeOffset newest) = (boots[0].StartedAt, DateTimeOffset.MinValue);
        foreach (BootLine boot in boots)
        {
            started = boot.StartedAt < started ? boot.StartedAt : started;
            refused += boot.Refused;
            if (boot.State == BootState.Done)
            {
                times[done++] = boot.DurationMs;
            }
            else if (boot.State == BootState.Booting)
            {
                booting++;
                newest = boot.StartedAt > newest ? boot.StartedAt : newest;
            }
        }

        foreach (BootLine boot in boots)
        {
            lasts = Math.Max(lasts, (boot.StartedAt - started).TotalMilliseconds + boot.DurationMs);
        }

        Array.Sort(times, 0, done);
        return new StormView(
            booting,
            done,
            boots.Length - booting - done,
            started,
            booting > 0 && Within(0.9) is { } typical ? newest.AddMilliseconds(typical) : null,
            Within(0.5),
            done == 0 ? null : times[done - 1])
        {
            Id = id,
            Boots = boots.Length,
            P99Ms = Within(0.99),
            DurationMs = lasts,
            IsRunning = isOpen || booting > 0,
            Refused = refused,
        };

        double? Within(double share) => done == 0 ? null : times[Math.Min(done - 1, (int)(done * share))];
    }
}
