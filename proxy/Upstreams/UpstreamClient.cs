using System.Net;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// Asks Stratum 1s until one gives a good head: an error or a 404 goes on to the next at once, silence goes on after
/// <see cref="ProxyOptions.FirstByteTimeout"/> while the first is still waited for (hedging). Thread-safe.
/// </summary>
internal sealed class UpstreamClient(Stratum1Directory directory, ProxyOptions options, ProxyCounters counters, TimeProvider time,
    ISiteNodes nodes)
{
    /// <summary>Bytes at most that are read of a passed body before its head goes out.</summary>
    private const int FirstPiece = 16 << 10;

    private static readonly string s_userAgent = $"breakwater/{typeof(UpstreamClient).Assembly.GetName().Version?.ToString(3)}";

    /// <summary>The candidates for a repository, in order.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="hint">Host that the client named, or null.</param>
    /// <param name="isAside">See <see cref="CandidateCursor.IsAside"/>.</param>
    public CandidateCursor Candidates(RepositoryRoute repository, string? hint, bool isAside = false) =>
        repository.IsPublished ? new([], UpstreamFailure.NotPublished)
            : options.Offline ? new([], UpstreamFailure.NotHeldOffline)
            : new(directory.Order(repository.Cluster, hint)) { IsAside = isAside };

    /// <summary>Nodes of the site as candidates, in order.</summary>
    public CandidateCursor Nodes(IReadOnlyList<Stratum1> order) => new(order) { HeadTimeout = nodes.HeadTimeout };

    /// <summary>
    /// Gets a good answer from the next candidates: 200, or for an <paramref name="offset"/> above zero 206, 200, or one that cannot be
    /// gone on with (<see cref="UpstreamResponse.IsNoContinuation"/>).
    /// </summary>
    /// <param name="method">GET or HEAD.</param>
    /// <param name="path">Path from the root: <c>/cvmfs/…</c>.</param>
    /// <param name="offset">First byte that is wanted.</param>
    /// <param name="cursor">Whom to ask; what was tried is taken from it, failures are noted in it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Null when no candidate is left; <see cref="CandidateCursor.ToFailure"/> says why.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Task<UpstreamResponse?> OpenAsync(HttpMethod method, string path, long offset, CandidateCursor cursor,
        CancellationToken cancellationToken) =>
        OpenAsync(new ContentQuestion(method, path, offset), cursor, cancellationToken);

    /// <summary>Gets a good answer from the next candidates.</summary>
    /// <returns>Null when no candidate is left; <see cref="CandidateCursor.ToFailure"/> says why.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<UpstreamResponse?> OpenAsync(UpstreamQuestion question, CandidateCursor cursor, CancellationToken cancellationToken)
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
                    if (tries.Count > 0 && cursor.HeadTimeout is not null)
                    {
                        nodes.NoteHedge();
                    }

                    tries.Add(Start(question, next, cancellationToken));
                }

                if (tries.Count == 0)
                {
                    return null;
                }

                isDue = false;
                Try? ended = await FirstEndedAsync(tries, cursor, begun, cancellationToken);
                if (ended is null)
                {
                    isDue = true;
                    if (!cursor.HasNext && time.GetElapsedTime(begun) >= PatienceWith(cursor))
                    {
                        foreach (Try silent in cursor.HeadTimeout is null ? tries[^1..] : tries)
                        {
                            Note(cursor, silent.Upstream, FailureKind.Timeout, "sent no answer in time");
                        }

                        return null;
                    }

                    continue;
                }

                tries.Remove(ended);
                if (await InspectAsync(ended, question, cursor, cancellationToken) is { } response)
                {
                    foreach (Try left in tries)
                    {
                        NoteUnheard(left, cursor);
                    }

                    return response;
                }

                isDue = true;
            }
        }
        catch (OperationCanceledException)
        {
            tries.ForEach(t => cursor.PutBack(t.Upstream));
            throw;
        }
        finally
        {
            tries.ForEach(t => t.Abandon());
        }
    }

    /// <summary>Notes a failure for the client, the log and YARP's passive health.</summary>
    public void Note(CandidateCursor cursor, Stratum1 upstream, FailureKind kind, string what, string? word = null)
    {
        if (!cursor.IsAside || kind is FailureKind.Connect or FailureKind.Lookup or FailureKind.Parent)
        {
            directory.ReportFailure(upstream, kind);
        }
        else if (kind is not (FailureKind.Timeout or FailureKind.Broken))
        {
            directory.ReportFailure(upstream, FailureKind.Refused);
        }

        if (!upstream.IsNode)
        {
            counters.CountUpstreamFailure(upstream.Authority, kind);
        }

        if (kind == FailureKind.NotFound)
        {
            cursor.NotFound++;
        }
        else if (kind != FailureKind.Refused)
        {
            cursor.NoteTrouble(upstream);
        }

        if (kind != FailureKind.NotFound || cursor.LastFailure is null)
        {
            cursor.LastFailure = new UpstreamFailure(kind, $"{upstream.Authority} {what}") { Word = word };
        }
    }

    /// <summary>
    /// Another answered first. Who had the time to answer is noted as silent, or he would cost each object that time (timers may be early);
    /// who was asked beside him just now has not. Both may still be asked, should the answer break off.
    /// </summary>
    private void NoteUnheard(Try left, CandidateCursor cursor)
    {
        if (!left.Response.IsCompleted && time.GetElapsedTime(left.Begun) >= (cursor.HeadTimeout ?? options.FirstByteTimeout) * 0.9)
        {
            Note(cursor, left.Upstream, FailureKind.Timeout, "sent no answer in time");
            cursor.PutOff(left.Upstream);
        }
        else
        {
            cursor.PutBack(left.Upstream);
        }
    }

    /// <summary>A whole right answer came from it.</summary>
    public void NoteSuccess(Stratum1 upstream) => directory.ReportSuccess(upstream);

    /// <summary>The first try that ended; null when it is time for another (or for giving up).</summary>
    private async Task<Try?> FirstEndedAsync(List<Try> tries, CandidateCursor cursor, long begun, CancellationToken cancellationToken)
    {
        TimeSpan wait = cursor.HasNext
            ? cursor.HeadTimeout ?? options.FirstByteTimeout
            : PatienceWith(cursor) - time.GetElapsedTime(begun);
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

    /// <summary>How long all of them together may be waited for.</summary>
    private TimeSpan PatienceWith(CandidateCursor cursor) => cursor.HeadTimeout is not { } head ? options.FetchPatience
        : cursor.Count > 1 ? head * 1.5 : head;

    private Try Start(UpstreamQuestion question, Stratum1 upstream, CancellationToken cancellationToken)
    {
        var request =
            new HttpRequestMessage(question.Method, upstream.UrlOf(question.Path))
            {
                Version = HttpVersion.Version11,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact
            };
        if (upstream.IsNode)
        {
            nodes.Sign(request);
        }
        else
        {
            counters.CountUpstreamRequest(upstream.Authority);
        }

        request.Headers.TryAddWithoutValidation("User-Agent", s_userAgent);
        request.Headers.TryAddWithoutValidation("Accept", "*/*");
        request.Options.Set(ClusterHandler.IsApart, question.IsPassedThrough);
        question.Prepare(request, upstream);
        var cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        return new Try(upstream, time.GetTimestamp(), AskAsync(question, upstream, request, cancel.Token), cancel);
    }

    private static async Task<Begun> AskAsync(UpstreamQuestion question, Stratum1 upstream, HttpRequestMessage request,
        CancellationToken cancellationToken)
    {
        HttpResponseMessage message = await upstream.Client.SendAsync(request, cancellationToken);
        if (!question.IsPassedThrough || question.Method != HttpMethod.Get || !message.IsSuccessStatusCode)
        {
            return new Begun(message, null, default);
        }

        try
        {
            Stream body = await message.Content.ReadAsStreamAsync(cancellationToken);
            byte[] first = new byte[FirstPiece];
            int read = await body.ReadAsync(first, cancellationToken);
            return new Begun(message, body, first.AsMemory(0, read));
        }
        catch
        {
            message.Dispose();
            throw;
        }
    }

    private async Task<UpstreamResponse?> InspectAsync(Try ended, UpstreamQuestion question, CandidateCursor cursor,
        CancellationToken cancellationToken)
    {
        Begun begun;
        try
        {
            begun = await ended.Response;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
        {
            // Whoever is cut off by our own client's leaving is not to blame.
            cancellationToken.ThrowIfCancellationRequested();
            Note(cursor, ended.Upstream, KindOf(e), e is ParentProxyException
                ? $"was not reached: {e.Message}"
                : $"could not be asked: {ConnectFailures.Sentence(e)}", ConnectFailures.WordOf(e));
            return null;
        }

        (FailureKind Kind, string What)? judged = question.Judge(begun.Message, out long start, out long? total);
        if (judged is null && AnswerFraming.FaultOf(begun.Message) is { } unclear)
        {
            judged = (FailureKind.BadHead, unclear);
        }

        if (judged is { } fault)
        {
            Note(cursor, ended.Upstream, fault.Kind, fault.What);
            begun.Message.Dispose();
            return null;
        }

        return new UpstreamResponse(ended.Upstream, begun.Message, start, total) { Body = begun.Body, First = begun.First };
    }

    /// <summary>Whose failure is it, and in which phase?</summary>
    public static FailureKind KindOf(Exception e) => e switch
    {
        ParentProxyException => FailureKind.Parent,
        OperationCanceledException or { InnerException: TimeoutException or LookupFailedException { IsTimeout: true } } =>
            FailureKind.Timeout,
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } or { InnerException: LookupFailedException } =>
            FailureKind.Lookup,
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError } =>
            FailureKind.Connect,
        _ => FailureKind.Broken,
    };

    /// <summary>A head, and for what is passed through the first bytes of the body.</summary>
    private sealed record Begun(HttpResponseMessage Message, Stream? Body, ReadOnlyMemory<byte> First);

    private sealed class Try(Stratum1 upstream, long begun, Task<Begun> response, CancellationTokenSource cancel)
    {
        public Stratum1 Upstream => upstream;

        /// <summary>Timestamp of the request.</summary>
        public long Begun => begun;

        public Task<Begun> Response => response;

        /// <summary>Another try won: end this one and throw its answer away.</summary>
        public void Abandon()
        {
            cancel.Cancel();
            _ = response.ContinueWith(
                static (task, state) =>
                {
                    if (task.IsCompletedSuccessfully)
                    {
                        task.Result.Message.Dispose();
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
