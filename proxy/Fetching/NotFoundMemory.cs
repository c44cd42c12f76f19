using Breakwater.Proxy.Outcomes;
using Breakwater.Repositories;
using Microsoft.Extensions.Caching.Memory;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// Remembers for a moment which objects no Stratum 1 had, by cluster, repository and path: an object that is not there under one name may
/// be there under another. Thread-safe.
/// </summary>
internal sealed class NotFoundMemory(TimeProvider time) : IDisposable
{
    /// <summary>Most bytes of names, since clients can make up names without end; beyond it old and new ones are left out.</summary>
    public const long MaxBytes = 16 << 20;

    /// <summary>What an entry costs beside its texts.</summary>
    private const int EntryBytes = 512;

    /// <summary>A short hard end, whatever happens: the object may be published a moment later.</summary>
    private static readonly TimeSpan s_lifetime = TimeSpan.FromSeconds(2);

    private readonly MemoryCache _failures = new(new MemoryCacheOptions { SizeLimit = MaxBytes, Clock = new CacheClock(time) });

    /// <summary>How many are remembered.</summary>
    public int Count => _failures.Count;

    /// <summary>The 404 that this request would get; null when none is remembered.</summary>
    public UpstreamFailure? Find(FetchOrder order) => _failures.TryGetValue(KeyOf(order), out UpstreamFailure? failure) ? failure : null;

    /// <summary>Every Stratum 1 of its cluster said 404.</summary>
    public void Remember(FetchOrder order, UpstreamFailure failure)
    {
        using ICacheEntry entry = _failures.CreateEntry(KeyOf(order));
        entry.Size = EntryBytes + (sizeof(char) * (order.Repository.Fqrn.ToString().Length + order.Path.Length + failure.Detail.Length));
        entry.AbsoluteExpirationRelativeToNow = s_lifetime;
        entry.Value = failure;
    }

    /// <inheritdoc/>
    public void Dispose() => _failures.Dispose();

    private static (string Cluster, Fqrn Fqrn, string Path) KeyOf(FetchOrder order) =>
        (order.Repository.Cluster, order.Repository.Fqrn, order.Path);
}
