using Breakwater.Laboratory.Client;
using HdrHistogram;

namespace Breakwater.Storm.Vms;

/// <summary>What one loop's VMs went through. Loop thread only; summed up when all loops have ended.</summary>
internal sealed class StormTally
{
    /// <summary>Length of a slice of the timeline.</summary>
    public const int SliceMs = 100;

    /// <summary>Longest time that is told apart: one hour in µs.</summary>
    private const long LongestUs = 3_600_000_000;

    /// <summary>Boot times of VMs that finished, in µs.</summary>
    public LongHistogram Boots { get; } = new(LongestUs, 3);

    /// <summary>Time to the first byte of every good answer, in µs.</summary>
    public LongHistogram FirstBytes { get; } = new(LongestUs, 2);

    /// <summary>Good answers, body bytes and finished VMs by slice.</summary>
    public List<(long Requests, long Bytes, int Vms)> Timeline { get; } = [];

    /// <summary>Failures by kind, before what the client made of them.</summary>
    public Dictionary<Failure, long> Failures { get; } = [];

    /// <summary>Good answers.</summary>
    public long Requests { get; set; }

    /// <summary>Body bytes of good answers.</summary>
    public long Bytes { get; set; }

    /// <summary>VMs that finished their boot, gave up, went DIRECT.</summary>
    public int Finished { get; set; }

    /// <summary>VMs whose user saw an I/O error.</summary>
    public int GaveUp { get; set; }

    /// <summary>VMs that left the last proxy and went DIRECT.</summary>
    public int Exiles { get; set; }

    /// <summary>Retries of any kind.</summary>
    public long Retries { get; set; }

    /// <summary>CPU time of the loop's thread, in µs.</summary>
    public long CpuUs { get; set; }

    /// <summary>A good answer.</summary>
    public void Answered(long sinceStartUs, long firstByteUs, long bytes)
    {
        Requests++;
        Bytes += bytes;
        FirstBytes.RecordValue(Math.Min(firstByteUs, LongestUs));
        Slice(sinceStartUs, 1, bytes, 0);
    }

    /// <summary>A boot is complete.</summary>
    public void Booted(long sinceStartUs, long bootUs)
    {
        Finished++;
        Boots.RecordValue(Math.Min(bootUs, LongestUs));
        Slice(sinceStartUs, 0, 0, 1);
    }

    /// <summary>Adds another loop's.</summary>
    public void Add(StormTally other)
    {
        Boots.Add(other.Boots);
        FirstBytes.Add(other.FirstBytes);
        Requests += other.Requests;
        Bytes += other.Bytes;
        Finished += other.Finished;
        GaveUp += other.GaveUp;
        Exiles += other.Exiles;
        Retries += other.Retries;
        CpuUs += other.CpuUs;
        foreach ((Failure failure, long count) in other.Failures)
        {
            Failures[failure] = Failures.GetValueOrDefault(failure) + count;
        }

        for (int i = 0; i < other.Timeline.Count; i++)
        {
            Slice(i * SliceMs * 1000L, other.Timeline[i].Requests, other.Timeline[i].Bytes, other.Timeline[i].Vms);
        }
    }

    private void Slice(long sinceStartUs, long requests, long bytes, int vms)
    {
        int slice = (int)(sinceStartUs / (SliceMs * 1000));
        while (Timeline.Count <= slice)
        {
            Timeline.Add(default);
        }

        (long r, long b, int v) = Timeline[slice];
        Timeline[slice] = (r + requests, b + bytes, v + vms);
    }
}
