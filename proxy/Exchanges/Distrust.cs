using System.Collections.Concurrent;

namespace Breakwater.Proxy.Exchanges;

/// <summary>Origins whose last body broke off or was not what its name says: for a while their mirrors are asked before them. Thread-safe.
/// </summary>
internal sealed class Distrust(TimeProvider time)
{
    /// <summary>More are forgotten all at once: that costs one more bad body each.</summary>
    private const int MostMarks = 1_000;

    private static readonly TimeSpan s_lasts = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, long> _since = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>A body from there was bad.</summary>
    /// <param name="authority">Host and port.</param>
    public void Mark(string authority)
    {
        if (_since.Count >= MostMarks)
        {
            _since.Clear();
        }

        _since[authority] = time.GetTimestamp();
    }

    /// <summary>The origins in the order in which they are to be asked.</summary>
    public IEnumerable<Uri> Order(IReadOnlyList<Uri> upstreams) =>
        upstreams.Count == 1 || _since.IsEmpty ? upstreams : upstreams.OrderBy(upstream => IsMarked(upstream.Authority));

    /// <summary>Was a body from there bad a while ago?</summary>
    public bool IsMarked(string authority) =>
        _since.TryGetValue(authority, out long since) && time.GetElapsedTime(since) < s_lasts;
}
