using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Threading;
using Microsoft.Extensions.Caching.Memory;

namespace Breakwater.Proxy.Documents;

/// <summary>
/// The mutable files of repositories: checked at most 61 s ago while a Stratum 1 answers, one check at a time for each, stale when none
/// answers. Thread-safe.
/// </summary>
internal sealed class DocumentCache : IDisposable
{
    /// <summary>A 404 of a document is remembered this long.</summary>
    private static readonly TimeSpan s_negativeLifetime = TimeSpan.FromSeconds(5);

    /// <summary>After a check failed, stale answers go out at once this long: no client waits for Stratum 1s known to be down.</summary>
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Documents that all clients together ask for: four of the largest, or the smaller ones of thousands of repositories.
    /// </summary>
    internal const long MaxDocumentBytes = 128L << 20;

    /// <summary>Geo answers are some bytes, and can be made here.</summary>
    internal const long MaxGeoBytes = 16L << 20;

    /// <summary>404s and other failures that are remembered for seconds.</summary>
    internal const long MaxFailureBytes = 8L << 20;

    /// <summary>
    /// Checks under way: each goes on when its client leaves, so that clients who ask and leave could begin any number. None may have them
    /// all.
    /// </summary>
    internal const int MaxChecks = 4096;

    private readonly SingleFlight<string, SharedPlace, DocumentAnswer> _checks = new(StringComparer.Ordinal);
    private readonly FetchQueue _room = new(MaxChecks, prefetchLimit: 0);
    private readonly MemoryCache _documents;
    private readonly MemoryCache _geo;
    private readonly MemoryCache _failures;
    private readonly DocumentFetcher _fetcher;
    private readonly DocumentArchive _archive;
    private readonly SignedDocuments _signed;
    private readonly ProxyOptions _options;
    private readonly TimeProvider _time;

    public DocumentCache(DocumentFetcher fetcher, DocumentArchive archive, SignedDocuments signed, ProxyOptions options, TimeProvider time)
    {
        _fetcher = fetcher;
        _archive = archive;
        _signed = signed;
        _options = options;
        _time = time;

        _documents = Cache(MaxDocumentBytes, time);
        _geo = Cache(MaxGeoBytes, time);
        _failures = Cache(MaxFailureBytes, time);
    }

    /// <summary>Bytes that are charged right now: documents, geo answers, failures.</summary>
    internal (long Documents, long Geo, long Failures) Held => (SizeOf(_documents), SizeOf(_geo), SizeOf(_failures));

    /// <summary>No failure is remembered, of a signed pair or another document: with other settings what failed may be had.</summary>
    public void ForgetFailures()
    {
        _signed.ForgetFailures();
        _failures.Clear();
    }

    /// <summary>The document, if it is in memory and was checked recently enough; null else.</summary>
    public CachedDocument? FindFresh(DocumentRequest request) => SignedDocuments.Handles(request)
        ? _signed.FindFresh(request)
        : CacheOf(request).TryGetValue(request.CacheKey, out CachedDocument? held) && held!.IsFresh(_time) ? held : null;

    /// <summary>The document, checked recently enough, or stale when it cannot be checked.</summary>
    /// <exception cref="OperationCanceledException">The client left.</exception>
    public async ValueTask<DocumentAnswer> GetAsync(DocumentRequest request, CancellationToken cancellationToken)
    {
        if (SignedDocuments.Handles(request))
        {
            return await _signed.GetAsync(request, cancellationToken);
        }

        string key = request.CacheKey;
        CachedDocument? held = Find(request, key);
        if (_options.Offline || request.Repository.IsPublished)
        {
            return held is not null
                ? new DocumentAnswer(held, RequestResult.Hit, null)
                : WithoutUpstream(
                    request, null, request.Repository.IsPublished ? UpstreamFailure.NotPublished : UpstreamFailure.NotHeldOffline);
        }

        if (held is not null && held.IsFresh(_time))
        {
            return new DocumentAnswer(held, RequestResult.Hit, null);
        }

        if (_failures.TryGetValue(key, out UpstreamFailure? failure) && failure is not null)
        {
            return failure.Kind == FailureKind.NotFound
                ? new DocumentAnswer(null, RequestResult.Negative, failure)
                : WithoutUpstream(request, held, failure);
        }

        if (JoinOrStart(request, key) is not { } check)
        {
            return WithoutUpstream(request, held,
                new UpstreamFailure(FailureKind.Timeout, "too many documents are being checked; ask again"));
        }

        try
        {
            return await check.WaitAsync(_options.AnswerTimeout, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return WithoutUpstream(request, held, new UpstreamFailure(FailureKind.Timeout, "no Stratum 1 has answered in time"));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _documents.Dispose();
        _geo.Dispose();
        _failures.Dispose();
    }

    /// <summary>The check under way, or a new one. Null: too many are.</summary>
    private Task<DocumentAnswer>? JoinOrStart(DocumentRequest request, string key)
    {
        if (_checks.TryFind(key, out (SharedPlace Place, Task<DocumentAnswer> Result) running))
        {
            running.Place.Join(request.Client);
            return running.Result;
        }

        var room = new FetchPlace(request.Priority, request.Client);
        if (!_room.TryEnter(room))
        {
            return null;
        }

        // What is held is checked on the proxy's own account: it is no made-up name.
        SharedPlace place = _fetcher.PlaceOf(Find(request, key) is null ? request : request with { Client = null });
        running = _checks.JoinOrStart(key, place, () => CheckAsync(request with { Place = place }, key, room), out bool isNew);
        if (!isNew)
        {
            _room.Leave(room);
            running.Place.Join(request.Client);
        }

        return running.Result;
    }

    private CachedDocument? Find(DocumentRequest request, string key)
    {
        if (CacheOf(request).TryGetValue(key, out CachedDocument? held))
        {
            return held;
        }

        // After a restart: what was good then is served stale if need be.
        if (request.Kind == DocumentKind.File && _archive.Find(key) is { } kept)
        {
            Keep(request, key, kept);
            return kept;
        }

        return null;
    }

    private async Task<DocumentAnswer> CheckAsync(DocumentRequest request, string key, FetchPlace place)
    {
        try
        {
            // Look again after winning the right to check: another check may have ended meanwhile.
            CachedDocument? held = Find(request, key);
            if (held is not null && held.IsFresh(_time))
            {
                return new DocumentAnswer(held, RequestResult.Hit, null);
            }

            (CachedDocument? document, UpstreamFailure? failure) = await FetchWithinPatienceAsync(request);
            if (document is not null)
            {
                Keep(request, key, document);
                if (request.Kind == DocumentKind.File)
                {
                    _archive.Keep(key, document);
                }

                return new DocumentAnswer(document, held is null ? RequestResult.Miss : RequestResult.Revalidated, null);
            }

            Remember(key, failure!);
            return failure!.Kind == FailureKind.NotFound && request.Kind == DocumentKind.File
                ? new DocumentAnswer(null, RequestResult.Failed, failure)
                : WithoutUpstream(request, held, failure);
        }
        finally
        {
            _room.Leave(place);
        }
    }

    private async Task<(CachedDocument? Document, UpstreamFailure? Failure)> FetchWithinPatienceAsync(DocumentRequest request)
    {
        using var patience = new CancellationTokenSource(_options.FetchPatience, _time);
        try
        {
            return await _fetcher.FetchAsync(request, patience.Token);
        }
        catch (OperationCanceledException)
        {
            return (null, new UpstreamFailure(FailureKind.Timeout, "no Stratum 1 has delivered it in time"));
        }
    }

    private DocumentAnswer WithoutUpstream(DocumentRequest request, CachedDocument? held, UpstreamFailure failure)
    {
        if (held is not null)
        {
            return new DocumentAnswer(held, RequestResult.Stale, null);
        }

        return request.Kind == DocumentKind.Geo
            ? new DocumentAnswer(GeoOrder.AsAsked(request.Path, Moment.Now(_time)), RequestResult.Local, null)
            : new DocumentAnswer(null, RequestResult.Failed, failure);
    }

    private MemoryCache CacheOf(DocumentRequest request) => request.Kind == DocumentKind.Geo ? _geo : _documents;

    private void Keep(DocumentRequest request, string key, CachedDocument document)
    {
        using ICacheEntry entry = CacheOf(request).CreateEntry(key);
        entry.Size = CostOf(key) + document.Cost;
        entry.Value = document;
    }

    private void Remember(string key, UpstreamFailure failure)
    {
        using ICacheEntry entry = _failures.CreateEntry(key);
        entry.Size = CostOf(key) + HeapCost.Of(failure.Detail);
        entry.AbsoluteExpirationRelativeToNow = failure.Kind == FailureKind.NotFound ? s_negativeLifetime : s_retryAfter;
        entry.Value = failure;
    }

    /// <summary>An entry of a memory cache with its key.</summary>
    private static int CostOf(string key) => HeapCost.Of(key) + (3 * HeapCost.Entry);

    private static MemoryCache Cache(long bytes, TimeProvider time) =>
        new(new MemoryCacheOptions { SizeLimit = bytes, Clock = new CacheClock(time), TrackStatistics = true });

    private static long SizeOf(MemoryCache cache) => cache.GetCurrentStatistics()?.CurrentEstimatedSize ?? 0;
}
