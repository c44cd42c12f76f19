using System.Collections.Concurrent;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Faults;

/// <summary>Which answers and which clients go wrong: drawn by seed and number, so a run can be repeated. Thread-safe.</summary>
/// <param name="seed">Same seed, same faults.</param>
/// <param name="share">Share of a Stratum 1's answers that go wrong, 0 to 1.</param>
internal sealed class FaultPlan(int seed, double share)
{
    private static readonly (string Name, Func<int, UpstreamBehaviour> Make)[] s_faults =
    [
        ("stall", length => UpstreamBehaviour.StallsAt(length / 2)),
        ("silence", _ => UpstreamBehaviour.NeverAnswers),
        ("drip", _ => new UpstreamBehaviour { BytesPerSecond = 500 }),
        ("truncate", length => UpstreamBehaviour.TruncatesAt(length / 2)),
        ("truncate-chunked", length => new UpstreamBehaviour { Chunked = true, TruncateAt = length / 2 }),
        ("flip", length => UpstreamBehaviour.FlipsBitAt(length / 3)),
        ("double", _ => UpstreamBehaviour.Doubled),
        ("double-chunked", _ => new UpstreamBehaviour { DoubleBody = true, Chunked = true }),
        ("reset", length => new UpstreamBehaviour { ResetAt = length / 3 }),
        ("reset-at-once", _ => UpstreamBehaviour.ResetWithoutAnswer),
        ("404", _ => UpstreamBehaviour.NotFound),
        ("503", _ => UpstreamBehaviour.WithStatus(503)),
        ("garbage", _ => UpstreamBehaviour.NotHttp),
        ("html-with-200", _ => UpstreamBehaviour.HtmlPage),
        ("1xx", _ => new UpstreamBehaviour { Informational = 103 }),
        ("gzip", _ => new UpstreamBehaviour { GzipEncode = true }),
        ("length-too-big", length => new UpstreamBehaviour { DeclaredLength = length + 1 }),
        ("length-too-small", length => new UpstreamBehaviour { DeclaredLength = length - 1 }),
        ("closed", _ => UpstreamBehaviour.CloseWithoutAnswer),
        ("no-range", length => new UpstreamBehaviour { SupportsRange = false, TruncateAt = length - 1 }),
    ];

    private readonly ConcurrentDictionary<string, int> _occurrences = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _done = new(StringComparer.Ordinal);

    /// <summary>How often each fault was done.</summary>
    public IReadOnlyDictionary<string, int> Done => _done;

    /// <summary>All faults.</summary>
    public static IEnumerable<string> Names => s_faults.Select(f => f.Name);

    /// <summary>The answer to a request for an object of a length; depends on the path and on how often it was asked for.</summary>
    public UpstreamBehaviour Choose(string path, int length)
    {
        int occurrence = _occurrences.AddOrUpdate(path, 1, (_, n) => n + 1);
        ulong draw = Draw(path, occurrence);
        if ((draw >> 40) / (double)(1 << 24) >= share)
        {
            return UpstreamBehaviour.Default;
        }

        (string name, Func<int, UpstreamBehaviour> make) = s_faults[draw % (ulong)s_faults.Length];
        _done.AddOrUpdate(name, 1, (_, n) => n + 1);
        return make(length);
    }

    /// <summary>What the n-th request's client does.</summary>
    public static ClientManner MannerOf(Random random) => random.Next(100) switch
    {
        < 80 => ClientManner.Plain,
        < 86 => ClientManner.SplitsHead,
        < 88 => ClientManner.ReadsSlowly,
        < 94 => ClientManner.LeavesHalfWay,
        < 97 => ClientManner.ResetsAtOnce,
        _ => ClientManner.LeavesInItsHead,
    };

    private ulong Draw(string path, int occurrence)
    {
        // FNV-1a, then SplitMix64: the same in every process, unlike string.GetHashCode.
        ulong x = 14695981039346656037 ^ (uint)seed ^ ((ulong)(uint)occurrence << 32);
        foreach (char c in path)
        {
            x = (x ^ c) * 1099511628211;
        }

        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
