using System.Collections.Concurrent;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>What the clients of one phase saw, added up. Thread-safe.</summary>
internal sealed class PhaseTally(BootPlan plan)
{
    private const int MessagesKept = 5;

    private readonly bool[] _asked = new bool[plan.Count];
    private readonly ConcurrentBag<TimeSpan> _boots = [];
    private readonly ConcurrentQueue<string> _messages = [];
    private int _requests;
    private int _objectRequests;
    private int _wrongBodies;
    private int _errors;
    private int _exiles;
    private long _bytes;
    private long _firstByteMaxTicks;

    /// <summary>Requests sent.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Requests sent for objects.</summary>
    public int ObjectRequests => Volatile.Read(ref _objectRequests);

    /// <summary>Distinct objects asked for.</summary>
    public int DistinctObjects =>
        plan.Mount.Concat(plan.Files).Where(r => r.IsObject && _asked[r.Index]).Select(r => r.Key).Distinct().Count();

    /// <summary>Whole answers with wrong bytes.</summary>
    public int WrongBodies => Volatile.Read(ref _wrongBodies);

    /// <summary>Requests that no host could answer.</summary>
    public int Errors => Volatile.Read(ref _errors);

    /// <summary>VMs that would have gone DIRECT.</summary>
    public int Exiles => Volatile.Read(ref _exiles);

    /// <summary>Bytes received by the clients, heads included.</summary>
    public long BytesReceived => Volatile.Read(ref _bytes);

    /// <summary>The longest time from a request (connect included) to the first byte of its answer.</summary>
    public TimeSpan FirstByteMax => TimeSpan.FromTicks(Volatile.Read(ref _firstByteMaxTicks));

    /// <summary>How long each completed boot took.</summary>
    public IReadOnlyCollection<TimeSpan> Boots => _boots;

    /// <summary>The first few things that went wrong, in words.</summary>
    public IReadOnlyCollection<string> Messages => _messages;

    /// <summary>A request is sent.</summary>
    public void Asked(BootRequest request)
    {
        Interlocked.Increment(ref _requests);
        if (request.IsObject)
        {
            Interlocked.Increment(ref _objectRequests);
            Volatile.Write(ref _asked[request.Index], true);
        }
    }

    /// <summary>The first byte of an answer came.</summary>
    public void FirstByte(TimeSpan after)
    {
        long seen;
        while (after.Ticks > (seen = Volatile.Read(ref _firstByteMaxTicks)))
        {
            Interlocked.CompareExchange(ref _firstByteMaxTicks, after.Ticks, seen);
        }
    }

    /// <summary>Bytes came.</summary>
    public void Bytes(int count) => Interlocked.Add(ref _bytes, count);

    /// <summary>A boot is complete.</summary>
    public void Booted(TimeSpan after) => _boots.Add(after);

    /// <summary>A whole answer had wrong bytes.</summary>
    public void WrongBody(string message) => Count(ref _wrongBodies, message);

    /// <summary>A request failed on every host.</summary>
    public void Failed(string message) => Count(ref _errors, message);

    /// <summary>A VM turned away from the proxy.</summary>
    public void Exiled(string message) => Count(ref _exiles, message);

    private void Count(ref int counter, string message)
    {
        Interlocked.Increment(ref counter);
        if (_messages.Count < MessagesKept)
        {
            _messages.Enqueue(message);
        }
    }
}
