using System.Buffers;
using System.Globalization;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Documents;

/// <summary>Gets a document whole from the first Stratum 1 that can give it.</summary>
internal sealed class DocumentFetcher(UpstreamClient client, FetchQueue queue, OverflowBudget budget, UpstreamPace pace,
    ProxyCounters counters, ProxyOptions options, TimeProvider time)
{
    /// <summary>
    /// Mutable files are fetched into memory. The manifest and whitelist are below 100 KB and have limits of their own; the reflog of an
    /// old repository is the largest.
    /// </summary>
    public const int MaxBytes = 32 << 20;

    /// <summary>Stratum 1s say 61 s: their own files change each minute at most.</summary>
    public static readonly TimeSpan FileLifetime = TimeSpan.FromSeconds(61);

    private const int BufferBytes = 16 << 10;

    /// <summary>
    /// What comes more slowly is asked of another Stratum 1, while there is one: documents are small, and clients wait for them.
    /// </summary>
    private const double LeastBytesPerSecond = 32 << 10;

    private static readonly TimeSpan s_geoLifetime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_maxGeoLifetime = TimeSpan.FromHours(6);

    /// <summary>Where the fetch of a document waits its turn.</summary>
    public SharedPlace PlaceOf(DocumentRequest request) => new(queue, request.Priority, request.Client, request.Repository.Cluster);

    /// <summary>The document, or why there is none (a 404 only when every candidate said so).</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Task<(CachedDocument? Document, UpstreamFailure? Failure)> FetchAsync(DocumentRequest request,
        CancellationToken cancellationToken) =>
        FetchAsync(
            request, troubled: null,
            document => ValueTask.FromResult(request.Kind == DocumentKind.Geo ? GeoOrder.Fault(request.Path, document.Body.Span) : null),
            cancellationToken);

    /// <summary>The document from the first Stratum 1 whose copy is accepted, or why there is none.</summary>
    /// <param name="request">Which document.</param>
    /// <param name="troubled">Stratum 1s that failed with a document before: they are asked last. Those that fail are added. Null: none are
    /// known.</param>
    /// <param name="refuse">Null: take it. Else why not; the next Stratum 1 is asked.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task<(CachedDocument? Document, UpstreamFailure? Failure)> FetchAsync(
        DocumentRequest request, HashSet<Stratum1>? troubled, Func<CachedDocument, ValueTask<string?>> refuse,
        CancellationToken cancellationToken)
    {
        if (request.Nodes.Count > 0
            && await FromAsync(client.Nodes(request.Nodes), null) is ({ } borrowed, _))
        {
            return (borrowed, null);
        }

        CandidateCursor cursor = client.Candidates(request.Repository, request.Hint, isAside: request.Kind == DocumentKind.Geo);
        foreach (Stratum1 last in troubled ?? [])
        {
            cursor.PutLast(last);
        }

        return await FromAsync(cursor, request.Place ?? PlaceOf(request));

        async Task<(CachedDocument? Document, UpstreamFailure? Failure)> FromAsync(CandidateCursor from, SharedPlace? place)
        {
            while (true)
            {
                (CachedDocument? document, UpstreamFailure? failure) = await NextAsync(request, place, from, cancellationToken);
                troubled?.UnionWith(from.Troubled);
                if (document is null || await refuse(document) is not { } refusal)
                {
                    return (document, failure);
                }

                // It lags or lies with this document; its objects are verified by themselves, so its health is not touched.
                from.LastFailure = new UpstreamFailure(FailureKind.Untrusted, $"{document.Upstream}: {refusal}");
            }
        }
    }

    /// <summary>
    /// The next Stratum 1's copy. It has one of the connections of fetches meanwhile, and not while the copy is judged: that may take a
    /// fetch. Who asks a node takes no place: two nodes whose places are all taken would wait for each other.
    /// </summary>
    private async Task<(CachedDocument? Document, UpstreamFailure? Failure)> NextAsync(
        DocumentRequest request, SharedPlace? place, CandidateCursor cursor, CancellationToken cancellationToken)
    {
        await (place?.EnterAsync(cancellationToken) ?? Task.CompletedTask);
        try
        {
            while (true)
            {
                using UpstreamResponse? response = await client.OpenAsync(HttpMethod.Get, request.UrlPath, 0, cursor, cancellationToken);
                if (response is null)
                {
                    return (null, cursor.ToFailure());
                }

                if (!ContentTypeField.TryRead(response.Message.Content, out string? contentType))
                {
                    client.Note(cursor, response.Upstream, FailureKind.BadHead, "sent a Content-Type that is none");
                    continue;
                }

                try
                {
                    byte[]? body =
                        await ReadAsync(response, request.MaxBytes, cursor.HasNext || place is null, cancellationToken);
                    if (body is null)
                    {
                        return (null,
                            new UpstreamFailure(FailureKind.Timeout,
                            "the documents under way take all of Proxy:MaxUnstoredBytes; ask again"));
                    }

                    client.NoteSuccess(response.Upstream);
                    return (ToDocument(request, response, contentType, body), null);
                }
                catch (Exception e) when (e is HttpRequestException or IOException or TimeoutException)
                {
                    (FailureKind kind, string what) = e is TimeoutException
                        ? (FailureKind.Timeout, "stalled or was too slow")
                        : (FailureKind.Broken, $"broke off: {e.Message}");
                    client.Note(cursor, response.Upstream, kind, what);
                    cursor.Requeue(response.Upstream);
                }
            }
        }
        finally
        {
            place?.Leave();
        }
    }

    /// <summary>Reads a body into memory, which is charged as it grows. Null: no memory is left for it.</summary>
    /// <exception cref="TimeoutException">It stalled or was too slow, and another may be asked.</exception>
    private async Task<byte[]?> ReadAsync(UpstreamResponse response, int maxBytes, bool mayMoveOn, CancellationToken cancellationToken)
    {
        PacedBody paced = pace.Begin(static () => PaceTurn.First);
        using var late = new CancellationTokenSource(mayMoveOn ? options.FirstByteTimeout : Timeout.InfiniteTimeSpan, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        long begun = time.GetTimestamp();
        long taken = 0;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            using var body = new MemoryStream();
            await using Stream stream = await response.Message.Content.ReadAsStreamAsync(either.Token);
            int read;
            while ((read = await stream.ReadAsync(buffer.AsMemory(0, paced.Piece(BufferBytes)), either.Token)) > 0)
            {
                long wanted = BufferBytes + (3 * (body.Length + read)); // the stream doubles as it grows, and is copied at the end
                if (wanted > taken && !budget.TryTake(wanted - taken))
                {
                    return null;
                }

                taken = Math.Max(taken, wanted);
                body.Write(buffer, 0, read);
                if (body.Length > maxBytes)
                {
                    throw new IOException($"a document longer than {maxBytes} bytes");
                }

                TimeSpan waited = paced.Waited;
                if (!response.Upstream.IsNode)
                {
                    counters.AddUpstreamBytes(read);
                    await PayAsync(paced, read, late, cancellationToken);
                }

                // What our own limit takes is not the Stratum 1's time.
                if (mayMoveOn && (paced.Waited > waited
                    || body.Length >= LeastBytesPerSecond * (time.GetElapsedTime(begun) - paced.Waited).TotalSeconds))
                {
                    late.CancelAfter(options.FirstByteTimeout);
                }
            }

            return body.ToArray();
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            budget.GiveBack(taken);
        }
    }

    private static ValueTask PayAsync(PacedBody paced, int bytes, CancellationTokenSource late, CancellationToken cancellationToken)
    {
        ValueTask paid = paced.PayAsync(bytes, cancellationToken);
        if (!paid.IsCompletedSuccessfully)
        {
            late.CancelAfter(Timeout.InfiniteTimeSpan);
        }

        return paid;
    }

    private CachedDocument ToDocument(DocumentRequest request, UpstreamResponse response, string contentType, byte[] body)
    {
        TimeSpan? maxAge = response.Message.Headers.CacheControl?.MaxAge;
        TimeSpan lifetime = request.Kind == DocumentKind.File
            ? Min(maxAge ?? FileLifetime, FileLifetime)
            : Min(maxAge ?? s_geoLifetime, s_maxGeoLifetime);
        TimeSpan age = response.Message.Headers.TryGetValues("Age", out IEnumerable<string>? values)
            && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out long seconds)
            ? TimeSpan.FromSeconds(Math.Min(seconds, int.MaxValue)) : TimeSpan.Zero;
        return new CachedDocument(body, contentType, lifetime, Moment.Now(time), age, response.Upstream.Authority);
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
