using System.Diagnostics.CodeAnalysis;

namespace Breakwater.CacheStore.Documents;

/// <summary>
/// Small mutable entries by name: signed documents, answers with their heads. The newest put of a key wins. Durable, thread-safe.
/// </summary>
public interface IDocumentStore
{
    /// <summary>Longest body plus head, bytes.</summary>
    int MaxDocumentBytes { get; }

    /// <summary>Finds a document. False: it is not there, or its stored bytes were damaged and it was forgotten.</summary>
    bool TryGet(string key, [NotNullWhen(true)] out StoredDocument? document);

    /// <summary>Stores or replaces a document; visible at once, durable when the task is complete.</summary>
    /// <exception cref="ArgumentException">Longer than <see cref="MaxDocumentBytes"/>, or the key is longer than 4,096 bytes in
    /// UTF-8.</exception>
    /// <exception cref="IOException">The disk refuses writes: the document is visible until the process ends, and not durable. A later put
    /// may succeed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled: the same is true of it.</exception>
    ValueTask PutAsync(string key, StoredDocument document, CancellationToken cancellationToken = default);

    /// <summary>Forgets a document; durable with the next put. False: it was not there.</summary>
    bool Remove(string key);

    /// <summary>The keys that begin with a prefix (ordinal), in no order; a snapshot.</summary>
    IReadOnlyList<string> Keys(string prefix = "");
}
