using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// What is being asked of origins, so that one request asks for all (coalescing), and where waiting for one another has proved useless.
/// Thread-safe.
/// </summary>
internal sealed class FlightTable(TimeProvider time)
{
    /// <summary>Marks that are kept; more are forgotten all at once: that costs one wait each.</summary>
    private const int MaxMarks = 10_000;

    /// <summary>So long nobody waits at a URL whose answer was for one client alone.</summary>
    private static readonly TimeSpan s_markTime = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, Flight> _flights = [];   // written under _gate
    private readonly Dictionary<string, long> _marks = [];                 // guarded by _gate: since when

    /// <summary>Requests that wait for a head right now, their own or another's.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _flights.Values.Where(flight => !flight.Answer.Task.IsCompleted).Sum(flight => flight.Waiting);
            }
        }
    }

    /// <summary>The name of what is asked: requests that agree in it may wait for one another.</summary>
    /// <param name="uri">The URI.</param>
    /// <param name="known">A stored answer of it; null: there is none.</param>
    /// <param name="request">Fields of the request.</param>
    public static string NameOf(string uri, StoredHead? known, HeaderFields request) => $"{uri}\n{VaryKey.NameOf(known, request)}";

    /// <summary>
    /// The name of a flight that asks nodes. What a node asks for never waits for one: two nodes that each take the other for the owner
    /// would wait for each other.
    /// </summary>
    public static string NameOfSite(string name) => $"{name}\n@nodes";

    /// <summary>The name of a flight that asks for a part of what nobody knows yet.</summary>
    public static string NameOfParts(string name) => $"{name}\n@parts";

    /// <summary>The flight of a name, if there is one. Waits for no lock: the event loops ask.</summary>
    public bool TryFind(string name, [NotNullWhen(true)] out Flight? flight) => _flights.TryGetValue(name, out flight);

    /// <summary>
    /// Joins one whose answer has yet to come, or starts one. Null: the one under way is past that, or nobody waits here; ask alone.
    /// </summary>
    public Flight? JoinOrStart(string name, out bool isNew)
    {
        isNew = false;
        lock (_gate)
        {
            if (_flights.TryGetValue(name, out Flight? flight))
            {
                if (flight.Answer.Task.IsCompleted)
                {
                    return null;
                }

                flight.Waiting++;
                return flight;
            }

            if (_marks.TryGetValue(name, out long since))
            {
                if (time.GetElapsedTime(since) < s_markTime)
                {
                    return null;
                }

                _marks.Remove(name);
            }

            isNew = true;
            flight = new Flight();
            _flights[name] = flight;
            return flight;
        }
    }

    /// <summary>It is over.</summary>
    public void Remove(string name, Flight flight)
    {
        lock (_gate)
        {
            if (_flights.TryGetValue(name, out Flight? current) && current == flight)
            {
                _flights.TryRemove(name, out _);
            }
        }
    }

    /// <summary>What came was for one client alone: nobody waits here for a while.</summary>
    public void Mark(string name)
    {
        lock (_gate)
        {
            if (_marks.Count >= MaxMarks)
            {
                _marks.Clear();
            }

            _marks[name] = time.GetTimestamp();
        }
    }

    /// <summary>What came can be shared after all.</summary>
    public void Unmark(string name)
    {
        lock (_gate)
        {
            _marks.Remove(name);
        }
    }
}
