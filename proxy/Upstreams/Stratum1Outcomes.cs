using System.Runtime.CompilerServices;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// How fetches and probes of each Stratum 1 ended, since the start or since its settings changed. Thread-safe; the latest outcome wins.
/// </summary>
internal sealed class Stratum1Outcomes
{
    private readonly ConditionalWeakTable<DestinationState, Seen> _seen = [];

    /// <summary>Does neither the active nor the passive health check say that it is down?</summary>
    public static bool IsUp(DestinationState destination) =>
        destination.Health.Active != DestinationHealth.Unhealthy && destination.Health.Passive != DestinationHealth.Unhealthy;

    /// <summary>What is known of it.</summary>
    public Stratum1State StateOf(DestinationState destination) =>
        !IsUp(destination) ? Stratum1State.AskedLast
        : _seen.TryGetValue(destination, out Seen? seen) ? seen.Last
        : Stratum1State.NotAskedYet;

    /// <summary>Has a fetch asked it, not a probe alone?</summary>
    public bool IsUsed(DestinationState destination) => _seen.TryGetValue(destination, out Seen? seen) && seen.IsUsed;

    /// <summary>A whole right answer came.</summary>
    public void NoteAnswer(DestinationState destination)
    {
        Seen seen = _seen.GetOrCreateValue(destination);
        seen.IsUsed = true;
        seen.FailuresInARow = 0;
        seen.Last = Stratum1State.Answers;
    }

    /// <summary>It answered with a 404: it is up and lacks the object.</summary>
    public void NoteNotFound(DestinationState destination)
    {
        Seen seen = _seen.GetOrCreateValue(destination);
        seen.IsUsed = true;
        seen.Last = Stratum1State.Answers;
    }

    /// <summary>It failed; how often in a row by now.</summary>
    public int NoteFailure(DestinationState destination)
    {
        Seen seen = _seen.GetOrCreateValue(destination);
        seen.IsUsed = true;
        seen.Last = Stratum1State.Failing;
        return Interlocked.Increment(ref seen.FailuresInARow);
    }

    /// <summary>It has been put behind the others; failures are counted from zero again.</summary>
    public void NoteGivenUp(DestinationState destination) => _seen.GetOrCreateValue(destination).FailuresInARow = 0;

    /// <summary>A health probe ended. What follows from it is for YARP's policy.</summary>
    public void NoteProbe(DestinationState destination, bool hasAnswered) =>
        _seen.GetOrCreateValue(destination).Last = hasAnswered ? Stratum1State.Answers : Stratum1State.Failing;

    private sealed class Seen
    {
        /// <summary>Changed atomically.</summary>
        public int FailuresInARow;

        public volatile Stratum1State Last;

        public volatile bool IsUsed;
    }
}
