using System.Buffers;
using System.Globalization;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Serving;

/// <summary>
/// Requests with <c>Authorization</c>, whose answers are not for everybody, and what servers say of themselves below
/// <c>/cvmfs/info/</c>: asked for as objects are, one Stratum 1 after the other, and not stored. Range and its 206 pass.
/// </summary>
internal sealed class PassThroughEndpoint(UpstreamClient client, ResponseHeads heads, ProxyCounters counters, OverflowBudget budget,
    UpstreamPace pace, ConnectionBudget connections, ProxyOptions options, TimeProvider time)
{
    private const int PieceBytes = 64 << 10;

    /// <summary>Each holds a connection to a Stratum 1 as long as its client reads: no client may have them all.</summary>
    private readonly FetchQueue _places = new(connections.PassedThrough, prefetchLimit: 0);

    /// <summary>Passes the first good answer of a Stratum 1 on.</summary>
    public async Task ServeAsync(HttpContext context, RepositoryRoute repository, string urlPath, string? hint, RequestOutcome outcome)
    {
        outcome.Result = RequestResult.PassedThrough;
        using var patience = new CancellationTokenSource(options.AnswerTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, context.RequestAborted);
        var place = new FetchPlace(FetchPriority.Demand, context.Connection.RemoteIpAddress, repository.Cluster);
        bool hasPlace = false;
        try
        {
            await _places.EnterAsync(place, either.Token);
            hasPlace = true;
            HeaderFields fields = HeaderFields.Of(context.Request.Headers);
            foreach (string name in Conditions.Names.Where(name => name != "If-Range"))
            {
                fields.Remove(name); // nothing is stored that could be confirmed
            }

            var question = new FileQuestion(context.Request.Method, urlPath, fields, hint, outcome.Key);
            await AnswerAsync(context, question, client.Candidates(repository, hint), outcome, either.Token);
        }
        catch (OperationCanceledException)
            when (patience.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted)
        {
            string what = hasPlace
                ? "no Stratum 1 has answered in time"
                : "as many files are being passed through as may be at a time, or as this client's share allows";
            await FailAsync(context, new UpstreamFailure(FailureKind.Timeout, what), outcome);
        }
        finally
        {
            if (hasPlace)
            {
                _places.Leave(place);
            }
        }
    }

    private async Task AnswerAsync(HttpContext context, FileQuestion question, CandidateCursor cursor, RequestOutcome outcome,
        CancellationToken patience)
    {
        using var body = new CheckedBody(budget, pace, counters);
        while (await client.OpenAsync(question, cursor, patience) is { } response)
        {
            using (response)
            {
                outcome.Upstream = response.Upstream.Authority;
                if (outcome.Key is not { } key || question.Method == HttpMethod.Head)
                {
                    await RelayAsync(context, question, response, cursor, outcome);
                    return;
                }

                if (await body.ReadAsync(response, key, options.FetchPatience, context.RequestAborted) is not { } fault)
                {
                    client.NoteSuccess(response.Upstream);
                    await SendAsync(context, response, body.Bytes, outcome);
                    return;
                }

                if (body.IsOutOfMemory)
                {
                    outcome.Result = RequestResult.Failed;
                    context.Response.Headers.RetryAfter = "1";
                    await heads.WriteErrorAsync(context, StatusCodes.Status503ServiceUnavailable, fault.What);
                    return;
                }

                client.Note(cursor, response.Upstream, fault.Kind, fault.What);
            }
        }

        if (question.Unsatisfied is { } range)
        {
            heads.WriteCommon(context.Response, outcome);
            context.Response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
            context.Response.Headers.ContentRange = range;
            context.Response.ContentLength = 0;
            return;
        }

        await FailAsync(context, cursor.ToFailure(), outcome);
    }

    private Task FailAsync(HttpContext context, UpstreamFailure failure, RequestOutcome outcome)
    {
        outcome.Result = RequestResult.Failed;
        return heads.WriteFailureAsync(context, failure, outcome);
    }

    /// <summary>A checked object, for this client alone.</summary>
    private async Task SendAsync(HttpContext context, UpstreamResponse response, ReadOnlyMemory<byte> bytes, RequestOutcome outcome)
    {
        WriteHead(context.Response, response, outcome);
        context.Response.ContentLength = bytes.Length;
        context.Response.Headers.CacheControl = "private, no-store";
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
        outcome.BytesSent += bytes.Length;
    }

    private void WriteHead(HttpResponse answer, UpstreamResponse response, RequestOutcome outcome)
    {
        heads.WriteCommon(answer, outcome);
        foreach ((string name, string value) in FileQuestion.Relayed(response.Message))
        {
            answer.Headers.Append(name, value);
        }
    }

    private async Task RelayAsync(HttpContext context, FileQuestion question, UpstreamResponse response, CandidateCursor cursor,
        RequestOutcome outcome)
    {
        HttpResponse answer = context.Response;
        WriteHead(answer, response, outcome);
        answer.Headers.AcceptRanges = "bytes";
        answer.ContentLength = response.Message.Content.Headers.ContentLength;
        if (response.Message.StatusCode == System.Net.HttpStatusCode.PartialContent)
        {
            long count = response.Message.Content.Headers.ContentRange!.To!.Value - response.Offset + 1;
            string total = response.TotalLength?.ToString(CultureInfo.InvariantCulture) ?? "*";
            answer.StatusCode = StatusCodes.Status206PartialContent;
            answer.Headers.ContentRange =
                string.Create(CultureInfo.InvariantCulture, $"bytes {response.Offset}-{response.Offset + count - 1}/{total}");
            answer.ContentLength = count;
        }

        if (question.Method == HttpMethod.Head)
        {
            client.NoteSuccess(response.Upstream);
            return;
        }

        try
        {
            await CopyAsync(context, response, answer.ContentLength, outcome);
            client.NoteSuccess(response.Upstream);
        }
        catch (Exception e)
            when (e is IOException or HttpRequestException or TimeoutException && !context.RequestAborted.IsCancellationRequested)
        {
            // Nothing tells that another Stratum 1's file is the same: the client has to see that this one is not whole.
            client.Note(cursor, response.Upstream, FailureKind.Broken, $"broke off: {e.Message}");
            outcome.Result = RequestResult.Failed;
            context.Abort();
        }
    }

    /// <summary>Never more and never less than was promised.</summary>
    /// <exception cref="IOException">The Stratum 1 sent another length, or broke off.</exception>
    /// <exception cref="TimeoutException">It sent nothing for a while.</exception>
    private async Task CopyAsync(HttpContext context, UpstreamResponse response, long? promised, RequestOutcome outcome)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        PacedBody paced = pace.Begin(() => outcome.BytesSent == 0 ? PaceTurn.First : PaceTurn.More);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            ReadOnlyMemory<byte> piece = response.First;
            while (!piece.IsEmpty)
            {
                counters.AddUpstreamBytes(piece.Length);
                if (outcome.BytesSent + piece.Length > promised)
                {
                    throw new IOException($"it sent more than the {promised} bytes that it promised");
                }

                await context.Response.Body.WriteAsync(piece, context.RequestAborted);
                outcome.BytesSent += piece.Length;
                await paced.PayAsync(piece.Length, context.RequestAborted);
                piece = buffer.AsMemory(0, await ReadAsync(response.Body!, buffer.AsMemory(0, paced.Piece(buffer.Length)), silence));
            }

            if (outcome.BytesSent < promised)
            {
                throw new IOException($"it sent {outcome.BytesSent} of the {promised} bytes that it promised");
            }
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            throw new TimeoutException("it sent nothing for too long");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<int> ReadAsync(Stream body, Memory<byte> buffer, CancellationTokenSource silence)
    {
        silence.CancelAfter(options.FetchPatience);
        int read = await body.ReadAsync(buffer, silence.Token);
        silence.CancelAfter(Timeout.Infinite);
        return read;
    }
}
