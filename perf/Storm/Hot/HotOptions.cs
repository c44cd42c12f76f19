using System.Net;

namespace Breakwater.Storm.Hot;

/// <summary>
/// One load: closed loop, where each connection asks for the next object as soon as it has the last, or open loop at a fixed rate.
/// </summary>
internal sealed record HotOptions
{
    /// <summary>What is asked for, round and round.</summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>Whom the connections go to.</summary>
    public required IPEndPoint Target { get; init; }

    /// <summary>The Stratum 1 that the requests name.</summary>
    public required IPEndPoint Host { get; init; }

    /// <summary>Absolute-form requests.</summary>
    public bool IsForward { get; init; } = true;

    /// <summary>How many at once.</summary>
    public int Connections { get; init; } = 64;

    /// <summary>Open loop: requests started a second whether or not answers come; 0 is a closed loop.</summary>
    public double RequestsPerSecond { get; init; }

    /// <summary>Before anything counts.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>What counts.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Event loops.</summary>
    public int Threads { get; init; } = 1;
}
