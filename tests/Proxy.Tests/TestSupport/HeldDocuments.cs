using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Breakwater.CacheStore.Documents;

namespace Breakwater.Proxy.Tests.TestSupport;

/// <summary>Documents in memory alone, for what keeps a few beside what is tested.</summary>
internal sealed class HeldDocuments : IDocumentStore
{
    private readonly ConcurrentDictionary<string, StoredDocument> _held = new();

    public int MaxDocumentBytes { get; set; } = int.MaxValue;

    /// <summary>Does the disk refuse writes?</summary>
    public bool IsRefusing { get; set; }

    public bool TryGet(string key, [NotNullWhen(true)] out StoredDocument? document) => _held.TryGetValue(key, out document);

    public ValueTask PutAsync(string key, StoredDocument document, CancellationToken cancellationToken = default)
    {
        if (IsRefusing)
        {
            throw new IOException("The disk refuses writes.");
        }

        _held[key] = document;
        return ValueTask.CompletedTask;
    }

    public bool Remove(string key) => _held.TryRemove(key, out _);

    public IReadOnlyList<string> Keys(string prefix = "") => [.. _held.Keys.Where(k => k.StartsWith(prefix, StringComparison.Ordinal))];
}
