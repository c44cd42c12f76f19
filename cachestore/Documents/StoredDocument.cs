namespace Breakwater.CacheStore.Documents;

/// <summary>A document.</summary>
/// <param name="Body">Its bytes; not to be changed.</param>
/// <param name="Head">Small bytes of the caller, opaque to the store (for example, response headers).</param>
/// <param name="StoredAt">When the caller got it; kept as given.</param>
public sealed record StoredDocument(ReadOnlyMemory<byte> Body, ReadOnlyMemory<byte> Head, DateTimeOffset StoredAt);
