namespace Breakwater.Proxy.Observability.Squid;

/// <summary>What squid counts, as it stands at one moment: since the start of the process.</summary>
/// <param name="At">Timestamp of the clock.</param>
/// <param name="Requests">Requests of clients that ended.</param>
/// <param name="Hits">Of them, answered without asking another server.</param>
/// <param name="Errors">Of them, those that no Stratum 1 could answer.</param>
/// <param name="SentBytes">Bytes of bodies to clients.</param>
/// <param name="HitBytes">Of them, those of hits.</param>
/// <param name="DiskHitBytes">Of them, those that were not all in memory.</param>
/// <param name="Asked">Requests to Stratum 1s.</param>
/// <param name="AskedInVain">Answers of Stratum 1s that were no use.</param>
/// <param name="ReceivedBytes">Bytes of bodies from Stratum 1s.</param>
/// <param name="Cpu">Processor time of the process.</param>
/// <param name="Times">Counts of <see cref="ServiceTimes"/>.</param>
internal sealed record SquidSample(long At, long Requests, long Hits, long Errors, long SentBytes, long HitBytes, long DiskHitBytes,
    long Asked, long AskedInVain, long ReceivedBytes, TimeSpan Cpu, long[] Times);
