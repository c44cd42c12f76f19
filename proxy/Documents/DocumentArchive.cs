using System.Text.Json;
using Breakwater.CacheStore.Documents;

namespace Breakwater.Proxy.Documents;

/// <summary>
/// Documents that survive a restart: kept in the store with what <see cref="CachedDocument"/> knows of them. Thread-safe.
/// </summary>
internal sealed partial class DocumentArchive(IDocumentStore store, TimeProvider time, ILogger<DocumentArchive> log)
{
    /// <summary>All documents of clients that outlive a restart: the manifests and whitelists of some thousand repositories.</summary>
    internal const long MaxBytes = 64L << 20;

    private readonly ArchiveRoom _room = Count(store);

    /// <summary>Documents and bytes right now.</summary>
    internal (int Count, long Bytes) Held => _room.Held;

    /// <summary>A document kept earlier; null when there is none, or its head cannot be read.</summary>
    public CachedDocument? Find(string key) => Find(key, out _);

    /// <summary>
    /// A document kept earlier, with the certificate that was kept with it; null when there is none, or its head cannot be read.
    /// </summary>
    public CachedDocument? Find(string key, out ReadOnlyMemory<byte>? certificate)
    {
        certificate = null;
        if (!store.TryGet(key, out StoredDocument? stored))
        {
            return null;
        }

        try
        {
            Head? head = JsonSerializer.Deserialize<Head>(stored.Head.Span);
            if (head is null)
            {
                return null;
            }

            certificate = head.Certificate is { } wire ? wire : (ReadOnlyMemory<byte>?)null;
            TimeSpan lifetime = head.Lifetime < DocumentFetcher.FileLifetime ? head.Lifetime : DocumentFetcher.FileLifetime;
            Moment checkedAt = Moment.Stored(stored.StoredAt, time);
            return new CachedDocument(stored.Body, ContentTypeField.OrDefault(head.ContentType), lifetime, checkedAt, head.InitialAge,
                head.Upstream, head.IsVerified);
        }
        catch (JsonException e)
        {
            LogUnreadable(log, e, key);
            return null;
        }
    }

    /// <summary>Keeps a document; does not wait for the disk. A failure is logged: it costs only the stale copy after a restart.</summary>
    public void Keep(string key, CachedDocument document, ReadOnlyMemory<byte>? certificate = null) =>
        _ = KeepAsync(key, document, certificate);

    /// <summary>Keeps a document; complete when it is durable, or the failure was logged.</summary>
    public async Task KeepAsync(string key, CachedDocument document, ReadOnlyMemory<byte>? certificate = null)
    {
        if (document.Body.Length >= store.MaxDocumentBytes / 2 || !_room.IsFor(key, document.Cost))
        {
            return;
        }

        try
        {
            byte[] head = JsonSerializer.SerializeToUtf8Bytes(new Head(
                document.ContentType, document.Lifetime, document.InitialAge, document.Upstream, document.IsVerified,
                certificate?.ToArray()));
            foreach (string old in _room.Take(key, document.Cost + head.Length, document.IsVerified))
            {
                store.Remove(old);
            }

            await store.PutAsync(key, new StoredDocument(document.Body, head, document.CheckedAt.ToUtc(time)));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            LogNotKept(log, e, key);
        }
    }

    /// <summary>What an earlier process kept, oldest first. Only the archive's documents have a head.</summary>
    private static ArchiveRoom Count(IDocumentStore store)
    {
        List<(string Name, long Bytes, bool IsVerified, DateTimeOffset At)> all = [];
        foreach (string name in store.Keys())
        {
            if (store.TryGet(name, out StoredDocument? stored) && !stored.Head.IsEmpty)
            {
                bool isVerified = stored.Head.Span.IndexOf("\"IsVerified\":true"u8) >= 0;
                all.Add((name, stored.Body.Length + stored.Head.Length, isVerified, stored.StoredAt));
            }
        }

        var room = new ArchiveRoom(MaxBytes);
        foreach ((string name, long bytes, bool isVerified, _) in all.OrderBy(document => document.At))
        {
            foreach (string old in room.Take(name, bytes, isVerified))
            {
                store.Remove(old);
            }
        }

        return room;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The document {Key} is not stored; after a restart it must be fetched again")]
    private static partial void LogNotKept(ILogger log, Exception exception, string key);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The stored document {Key} has an unreadable head; it is fetched again")]
    private static partial void LogUnreadable(ILogger log, Exception exception, string key);

    /// <summary>Stores written by earlier versions have no certificate.</summary>
    private sealed record Head(
        string ContentType, TimeSpan Lifetime, TimeSpan InitialAge, string? Upstream, bool IsVerified = false, byte[]? Certificate = null);
}
