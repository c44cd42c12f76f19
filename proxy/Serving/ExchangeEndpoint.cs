using System.IO.Pipelines;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Serving;

/// <summary>Ordinary HTTP: destinations that clients name and sites that the settings name, cached by RFC 9111.</summary>
internal sealed class ExchangeEndpoint(
    ExchangeCoordinator coordinator, LiveBodies bodies, HttpPolicy policy, ExchangeHeads heads, ReadyHeads ready, ResponseHeads errors,
    ProxyOptions options, TimeProvider time)
{
    private const int PieceBytes = 64 << 10;

    /// <summary>What of a request for an external file has a meaning; all else says only who asks.</summary>
    private static readonly string[] s_ofFiles = ["User-Agent", "Accept", "Cache-Control", "Pragma", "Range", .. Conditions.Names];

    /// <summary>Answers one request of ordinary HTTP.</summary>
    /// <param name="context">The request.</param>
    /// <param name="target">What is asked for, and whom.</param>
    /// <param name="next">How the next one like it would come on the event loops; null: none that these answer.</param>
    /// <param name="outcome">Says how it ended.</param>
    public async Task ServeAsync(HttpContext context, ExchangeTarget target, ReadyRequest? next, RequestOutcome outcome)
    {
        HttpRequest request = context.Request;
        HeaderFields fields = HopByHop.Without(HeaderFields.Of(request.Headers));
        fields.Remove("Host");
        var exchange = new Exchange(target, request.Method, fields, policy.Current.Rules.Find(target.Uri),
            context.Connection.RemoteIpAddress);
        outcome.Upstream = target.Upstreams[0].Authority;
        await SendAsync(context, exchange, await GetAnswerAsync(context, exchange, context.RequestAborted), next, outcome);
    }

    /// <summary>Answers one request for an external file of CernVM-FS, within the time that an object has.</summary>
    public async Task ServeAsync(HttpContext context, ExternalFile file, RequestOutcome outcome)
    {
        HttpRequest request = context.Request;
        var fields = new HeaderFields();
        foreach (string name in s_ofFiles.Where(request.Headers.ContainsKey))
        {
            fields.Add(name, request.Headers[name].ToString());
        }

        string uri = CacheUri.OfFile(file.Path);
        var exchange = new Exchange(new ExchangeTarget(uri, [], "", IsConfigured: true), request.Method, fields,
            policy.Current.Rules.Find(uri), context.Connection.RemoteIpAddress, file);
        using var patience = new CancellationTokenSource(options.AnswerTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, context.RequestAborted);
        ExchangeAnswer answer;
        try
        {
            answer = await GetAnswerAsync(context, exchange, either.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            answer = new ExchangeAnswer { Failure = new UpstreamFailure(FailureKind.Timeout, "no Stratum 1 has answered in time") };
        }

        await SendAsync(context, exchange, answer, next: null, outcome);
    }

    private async Task SendAsync(
        HttpContext context, Exchange exchange, ExchangeAnswer answer, ReadyRequest? next, RequestOutcome outcome)
    {
        outcome.Upstream = answer.Upstream ?? outcome.Upstream;
        if (answer.IsOnlyIfCached)
        {
            outcome.Result = RequestResult.Failed;
            await errors.WriteErrorAsync(
                context, StatusCodes.Status504GatewayTimeout,
                    "The request wants only what is stored here (only-if-cached), and there is nothing fresh.");
        }
        else if (answer.Live is { } live)
        {
            using (live)
            {
                await SendLiveAsync(context, exchange, answer, live, outcome);
            }
        }
        else if (answer.Head is { } head)
        {
            await SendStoredAsync(context, exchange, answer, head, next, outcome);
        }
        else
        {
            outcome.Result = RequestResult.Failed;
            await errors.WriteFailureAsync(context, answer.Failure!, outcome);
        }
    }

    private async Task<ExchangeAnswer> GetAnswerAsync(HttpContext context, Exchange exchange, CancellationToken client)
    {
        HttpRequest request = context.Request;
        InterimReceiver? interim = exchange.External is null ? ForInterim(context) : null;
        InterimReceiver.Current = interim;
        try
        {
            return await coordinator.AnswerAsync(exchange, HasBody(request) ? request.Body : null, client);
        }
        finally
        {
            if (interim is not null)
            {
                await interim.CloseAsync();
            }
        }
    }

    /// <summary>
    /// Interim answers go to clients of HTTP/1.1 (RFC 9110, 15.2) whose request has no body: else Kestrel may be about to say 100 itself.
    /// </summary>
    private static InterimReceiver? ForInterim(HttpContext context) =>
        context.Request.Protocol == HttpProtocol.Http11 && !HasBody(context.Request)
            && context.Features.Get<RefusableOutput>() is { } output
            ? new InterimReceiver(output.SayBeforeAsync)
            : null;

    private async Task SendStoredAsync(HttpContext context, Exchange exchange, ExchangeAnswer answer, StoredHead head,
        ReadyRequest? next, RequestOutcome outcome)
    {
        DateTimeOffset now = time.GetUtcNow();
        var shape = AnswerShape.Of(head, exchange.Fields, now);
        outcome.Result = answer.Origin switch
        {
            AnswerOrigin.Hit => head.Status >= 400 ? RequestResult.Negative : RequestResult.Hit,
            AnswerOrigin.Revalidated => RequestResult.Revalidated,
            AnswerOrigin.StaleOnError => RequestResult.Stale,
            AnswerOrigin.Joined => RequestResult.Joined,
            _ => RequestResult.Miss,
        };
        heads.WriteStored(context.Response, exchange, answer, head, shape, now, outcome);
        if (next is not null && answer.Origin == AnswerOrigin.Hit)
        {
            ready.Offer(context.Response, exchange, head, next, now);
        }

        if (exchange.Method == "HEAD" || !shape.HasBody || head.BodyId.Length == 0)
        {
            return;
        }

        using BodyReader reader = coordinator.Read(exchange, head, answer.Feed);
        long offset = shape.Offset;
        long end = shape.Count is { } count ? offset + count : long.MaxValue;
        PipeWriter writer = context.Response.BodyWriter;
        try
        {
            while (offset < end)
            {
                int wanted = (int)Math.Min(PieceBytes, end - offset);
                Memory<byte> memory = writer.GetMemory(wanted)[..wanted];
                int read = await reader.ReadAsync(offset, end, memory, context.RequestAborted);
                if (read == 0)
                {
                    return;
                }

                writer.Advance(read);
                outcome.BytesSent += read;
                offset += read;
                if ((await writer.FlushAsync(context.RequestAborted)).IsCompleted)
                {
                    outcome.Result = RequestResult.ClientGone;
                    return;
                }
            }
        }
        catch (IOException) when (!context.RequestAborted.IsCancellationRequested)
        {
            Cut(context, outcome);
        }
    }

    private async Task SendLiveAsync(HttpContext context, Exchange exchange, ExchangeAnswer answer, FetchedAnswer live,
        RequestOutcome outcome)
    {
        outcome.Result = RequestResult.PassedThrough;
        heads.WriteLive(context.Response, exchange, answer, live, outcome);
        if (exchange.Method == "HEAD" || live.Status is 204 or 205 or 304)
        {
            return;
        }

        PipeWriter writer = context.Response.BodyWriter;
        PacedBody paced = bodies.Begin(() => outcome.BytesSent == 0 ? PaceTurn.First : PaceTurn.More);
        try
        {
            await writer.FlushAsync(context.RequestAborted);
            while (true)
            {
                Memory<byte> memory = writer.GetMemory(PieceBytes);
                int read = await bodies.ReadAsync(live, paced, memory, context.RequestAborted);
                if (read == 0)
                {
                    return;
                }

                writer.Advance(read);
                outcome.BytesSent += read;
                if ((await writer.FlushAsync(context.RequestAborted)).IsCompleted)
                {
                    outcome.Result = RequestResult.ClientGone;
                    return;
                }
            }
        }
        catch (IOException) when (!context.RequestAborted.IsCancellationRequested)
        {
            Cut(context, outcome);
        }
    }

    /// <summary>The client has to see that its answer is not whole.</summary>
    private static void Cut(HttpContext context, RequestOutcome outcome)
    {
        outcome.Result = RequestResult.Failed;
        context.Abort();
    }

    private static bool HasBody(HttpRequest request) => request.ContentLength > 0 || request.Headers.TransferEncoding.Count > 0;
}
