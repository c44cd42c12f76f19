using Breakwater.Laboratory.Client;

namespace Breakwater.Storm.Vms;

/// <summary>What a storm came to.</summary>
internal sealed record StormResult
{
    /// <summary>VMs started.</summary>
    public required int Vms { get; init; }

    /// <summary>VMs that finished their boot.</summary>
    public required int Finished { get; init; }

    /// <summary>VMs whose user saw an I/O error.</summary>
    public required int GaveUp { get; init; }

    /// <summary>VMs that went DIRECT.</summary>
    public required int Exiles { get; init; }

    /// <summary>From the storm's start to the last VM's end.</summary>
    public required double Seconds { get; init; }

    /// <summary>Good answers.</summary>
    public required long Requests { get; init; }

    /// <summary>Their body bytes.</summary>
    public required long BodyBytes { get; init; }

    /// <summary>Bodies that were not what their URL says; found in check mode only.</summary>
    public required long WrongBodies { get; init; }

    /// <summary>Requests sent again for any reason.</summary>
    public required long Retries { get; init; }

    /// <summary>Failures by kind.</summary>
    public required IReadOnlyDictionary<string, long> Failures { get; init; }

    /// <summary>Boot times.</summary>
    public required Times Boot { get; init; }

    /// <summary>Times to the first byte.</summary>
    public required Times FirstByte { get; init; }

    /// <summary>CPU of the generator a good answer, in µs.</summary>
    public required double GeneratorUsPerRequest { get; init; }

    /// <summary>Finished VMs at the end of each slice of 100 ms.</summary>
    public required IReadOnlyList<int> FinishedTimeline { get; init; }

    /// <summary>Body bytes in each slice of 100 ms.</summary>
    public required IReadOnlyList<long> BytesTimeline { get; init; }

    /// <summary>From the tally.</summary>
    public static StormResult Of(int vms, TimeSpan duration, StormTally tally)
    {
        int finished = 0;
        return new StormResult
        {
            Vms = vms,
            Finished = tally.Finished,
            GaveUp = tally.GaveUp,
            Exiles = tally.Exiles,
            Seconds = duration.TotalSeconds,
            Requests = tally.Requests,
            BodyBytes = tally.Bytes,
            WrongBodies = tally.Failures.GetValueOrDefault(Failure.WrongBody) + tally.Failures.GetValueOrDefault(Failure.WrongDocument),
            Retries = tally.Retries,
            Failures = tally.Failures.ToDictionary(f => f.Key.ToString(), f => f.Value),
            Boot = Times.Of(tally.Boots),
            FirstByte = Times.Of(tally.FirstBytes),
            GeneratorUsPerRequest = tally.Requests == 0 ? 0 : (double)tally.CpuUs / tally.Requests,
            FinishedTimeline = [.. tally.Timeline.Select(s => finished += s.Vms)],
            BytesTimeline = [.. tally.Timeline.Select(s => s.Bytes)],
        };
    }
}
