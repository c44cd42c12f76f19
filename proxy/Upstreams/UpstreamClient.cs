using System.Net;
using System.Net.Http.Headers;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Asks Stratum 1s until one gives a good head: an error or a 404 goes on to the next at once, silence goes on after
/// <see cref="ProxyOptions.FirstByteTimeout"/> while the first is still waited for (hedging). Thread-safe.
/// </summary>
internal sealed class UpstreamClient(Stratum1Directory directory, ProxyOptions options, ProxyCounters counters, TimeProvider time)
{
    private static readonly string s_userAgent = $"breakwater/{typeof(UpstreamClient).Assembly.GetName().Version?.ToString(3)}";

    /// <summary>The candidates for a repository, in order.</summary>
    public CandidateCursor Candidates(RepositoryRoute repository, string? hint) => new(options.Offline ? [] : directory.Order(repository.Cluster, hint), options.Offline);

    /// <summary>
    /// Gets a good answer from the next candidates: 200, or for an <paramref name="offset"/> above zero 206, 200, or a 416 that tells the true length.
    /// </summary>
    /// <param name="method">GET or HEAD.</param>
    /// <param name="path">Path from the root: <c>/cvmfs/…</c>.</param>
    /// <param name="offset">First byte that is wanted.</param>
    /// <param name="cursor">Whom to ask; what was tried is taken from it, failures are noted in it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Null when no candidate is left; <see cref="CandidateCursor.ToFailure"/> says why.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<UpstreamResponse?> OpenAsync(HttpMethod method, string path, long offset, CandidateCursor cursor, CancellationToken cancellationToken)
    {
        var tries = new List<Try>(2);
        long begun = time.GetTimestamp();
        try
        {
            bool isDue = true;
            while (true)
            {
                if (isDue && cursor.Next() is { } next)
                {
                    tries.Add(Start(method, path, offset, next, cancellationToken));
                }

                if (tries.Count == 0)
                {
                    return null;
                }

                isDue = false;
                Try? ended = await FirstEndedAsync(tries, cursor.HasNext, begun, cancellationToken);
                if (ended is null)
                {
                    isDue = true;
                    if (!cursor.HasNext && time.GetElapsedTime(begun) >= options.FetchPatience)
                    {
                        Note(cursor, tries[^1].Upstream, FailureKind.Timeout, "sent no answer in time");
                        return null;
                    }

                    continue;
                }

                tries.Remove(ended);
                if (await InspectAsync(ended, method, offset, cursor, cancellationToken) is { } response)
                {
                    return response;
                }

                isDue = true;
            }
        }
        finally
        {
            tries.ForEach(t => t.Abandon());
        }
    }

    /// <summary>Notes a failure for the client, the log and YARP's passive health.</summary>
    public void Note(CandidateCursor cursor, Stratum1 upstream, FailureKind kind, string what)
    {
        directory.ReportFailure(upstream, kind);
        counters.CountUpstreamFailure(upstream.Authority, kind);
        if (kind == FailureKind.NotFound)
        {
            cursor.NotFound++;
        }

        if (kind != FailureKind.NotFound || cursor.LastFailure is null)
        {
            cursor.LastFailure = new UpstreamFailure(kind, $"{upstream.Authority} {what}");
        }
    }

    /// <summary>A whole right answer came from it.</summary>
    public void NoteSuccess(Stratum1 upstream) => directory.ReportSuccess(upstream);

    /// <summary>The first try that ended; null when it is time for another (or for giving up).</summary>
    private async Task<Try?> FirstEndedAsync(List<Try> tries, bool mayHedge, long begun, CancellationToken cancellationToken)
    {
        TimeSpan wait = mayHedge ? options.FirstByteTimeout : options.FetchPatience - time.GetElapsedTime(begun);
        if (wait <= TimeSpan.Zero)
        {
            return null;
        }

        Task first = tries.Count == 1 ? tries[0].Response : Task.WhenAny(tries.Select(t => t.Response));
        try
        {
            await first.WaitAsync(wait, time, cancellationToken);
        }
        catch (TimeoutException) when (!first.IsCompleted)
        {
            return null;
        }
        catch (Exception) when (first.IsCompleted && !cancellationToken.IsCancellationRequested)
        {
            // What went wrong is looked at by InspectAsync.
        }

        return tries.Find(t => t.Response.IsCompleted);
    }

    private Try Start(HttpMethod method, string path, long offset, Stratum1 upstream, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(method, new Uri(upstream.Root + path)) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        counters.CountUpstreamRequest(upstream.Authority);
        request.Headers.TryAddWithoutValidation("User-Agent", s_userAgent);
        request.Headers.TryAddWithoutValidation("Accept", "*/*");
        if (offset > 0)
        {
            request.Headers.Range = new RangeHeaderValue(offset, null);
        }

        var cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        return new Try(upstream, upstream.Client.SendAsync(request, cancel.Token), cancel);
    }

    private async Task<UpstreamResponse?> InspectAsync(Try ended, HttpMethod method, long offset, CandidateCursor cursor, CancellationToken cancellationToken)
    {
        HttpResponseMessage message;
        try
        {
            message = await ended.Response;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
        {
            // Whoever is cut off by our own client's leaving is not to blame.
            cancellationToken.ThrowIfCancellationRequested();
            bool isTimeout = e is OperationCanceledException || e.InnerException is TimeoutException;
            bool isConnect = isTimeout || e is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError };
            FailureKind kind = isTimeout ? FailureKind.Timeout : isConnect ? FailureKind.Connect : FailureKind.Broken;
            Note(cursor, ended.Upstream, kind, $"could not be asked: {e.Message}");
            return null;
        }

        (FailureKind Kind, string What)? fault = Judge(message, method, offset, out long start, out long? total);
        if (fault is { } bad)
        {
            Note(cursor, ended.Upstream, bad.Kind, bad.What);
            message.Dispose();
            return null;
        }

        return new UpstreamResponse(ended.Upstream, message, start, total);
    }

    /// <summary>What is wrong with this head? Null when nothing. Pure.</summary>
    private static (FailureKind Kind, string What)? Judge(HttpResponseMessage message, HttpMethod method, long offset, out long start, out long? total)
    {
        start = 0;
        total = message.Content.Headers.ContentLength;
        if (message.StatusCode == HttpStatusCode.NotFound)
        {
            return (FailureKind.NotFound, "does not have it");
        }

        if (message.Content.Headers.ContentEncoding.Any(e => !e.Equals("identity", StringComparison.OrdinalIgnoreCase)))
        {
            return (FailureKind.BadHead, "answered with a content coding that was not asked for");
        }

        if (message.StatusCode == HttpStatusCode.PartialContent && offset > 0 && method == HttpMethod.Get)
        {
            ContentRangeHeaderValue? range = message.Content.Headers.ContentRange;
            if (range?.From != offset || range.Length is not { } length || range.To != length - 1)
            {
                return (FailureKind.BadHead, "answered with another range than asked for");
            }

            start = offset;
            total = length;
            return null;
        }

        if (message.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && offset > 0 && message.Content.Headers.ContentRange?.Length is { } end && end <= offset)
        {
            start = end;
            total = end;
            return null;
        }

        return message.StatusCode == HttpStatusCode.OK ? null : (FailureKind.Status, $"answered {(int)message.StatusCode}");
    }

    private sealed class Try(Stratum1 upstream, Task<HttpResponseMessage> response, CancellationTokenSource cancel)
    {
        public Stratum1 Upstream => upstream;

        public Task<HttpResponseMessage> Response => response;

        /// <summary>Another try won: end this one and throw its answer away.</summary>
        public void Abandon()
        {
            cancel.Cancel();
            _ = response.ContinueWith(
                static (task, state) =>
                {
                    if (task.IsCompletedSuccessfully)
                    {
                        task.Result.Dispose();
                    }

                    _ = task.Exception;
                    ((CancellationTokenSource)state!).Dispose();
                },
                cancel,
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }
}
