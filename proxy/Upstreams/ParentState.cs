using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Upstreams;

/// <summary>A parent proxy of one cluster, and how it did when it was asked last. Thread-safe.</summary>
internal sealed class ParentState(ParentProxy proxy, TimeProvider time)
{
    /// <summary>One that failed is asked first again after this: by one request that then pays for a look at it.</summary>
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(10);

    /// <summary>Shorter than <see cref="ProxyOptions.FirstByteTimeout"/> by default, so that a hedge goes by the next parent.</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(1);

    private long _waitingSince;             // timestamp of the first request since the last answer; 0: none
    private volatile Failed? _failed;       // replaced whole

    /// <summary>Where it is, and its password.</summary>
    public ParentProxy Proxy => proxy;

    /// <summary>What is said to people of its last failure; null when it works. Shows no password.</summary>
    public string? Failure => _failed?.What;

    /// <summary>Have answers that it passed on had a <c>Via</c>?</summary>
    public bool Signs { get; private set; }

    /// <summary>Is another to be asked before it?</summary>
    public bool IsDoubtful =>
        (_failed is { } failed && time.GetElapsedTime(failed.At) < s_retry)
        || (Interlocked.Read(ref _waitingSince) is var since && since != 0 && time.GetElapsedTime(since) >= s_silence);

    /// <summary>A request goes to it.</summary>
    /// <returns>When.</returns>
    public long Begin()
    {
        long now = time.GetTimestamp();
        Interlocked.CompareExchange(ref _waitingSince, now, 0);
        return now;
    }

    /// <summary>It did what it is there for.</summary>
    /// <param name="isSigned">There is a <c>Via</c> in the answer.</param>
    public void NoteAnswer(bool isSigned = false)
    {
        Signs |= isSigned;
        Interlocked.Exchange(ref _waitingSince, 0);
        if (_failed is not null)
        {
            _failed = null;
        }
    }

    /// <summary>It did not.</summary>
    public void NoteFailure(string what)
    {
        Interlocked.Exchange(ref _waitingSince, 0);
        _failed = new Failed(time.GetTimestamp(), what);
    }

    /// <summary>Nobody waits for a request any more. It is silent if it said nothing to anybody since, for long enough.</summary>
    /// <param name="begun">From <see cref="Begin"/>.</param>
    public void NoteAbandoned(long begun)
    {
        long since = Interlocked.Exchange(ref _waitingSince, 0);
        if (since != 0 && since <= begun && time.GetElapsedTime(begun) >= s_silence)
        {
            _failed = new Failed(time.GetTimestamp(), $"the parent proxy {proxy} did not answer");
        }
    }

    private sealed record Failed(long At, string What);
}
