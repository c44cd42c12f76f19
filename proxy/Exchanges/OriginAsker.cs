using System.Net;
using System.Runtime.ExceptionServices;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// Asks origins of ordinary HTTP. Its places are its own, so that nothing here takes a connection or a place in the queue of a Stratum 1.
/// Thread-safe.
/// </summary>
internal sealed class OriginAsker(DestinationClients clients, LoopGuard loops, ProxyCounters counters, ExchangeLimits limits,
    Distrust distrust, TimeProvider time)
{
    /// <summary>
    /// Longest wait for the head of an answer: Frontier's databases think for a minute.
    /// </summary>
    private static readonly TimeSpan s_headPatience = TimeSpan.FromMinutes(2);

    /// <summary>Longest wait for a byte of a body.</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromMinutes(1);

    private static readonly HashSet<string> s_contentFields = new(StringComparer.OrdinalIgnoreCase)
    {
        "Allow", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length", "Content-Location", "Content-MD5",
        "Content-Range",
        "Content-Type", "Expires", "Last-Modified",
    };

    /// <summary>Asks the origin, and its mirrors while there is no answer, as long as nothing of a body was sent.</summary>
    /// <param name="target">Whom.</param>
    /// <param name="method">Method.</param>
    /// <param name="fields">Fields to send.</param>
    /// <param name="content">Body to send; null: none.</param>
    /// <param name="client">On whose account it goes.</param>
    /// <param name="cancellationToken">Ends the wait for the head.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="BadHttpRequestException">The body that the client sends is malformed.</exception>
    public async Task<AskResult> AskAsync(
        ExchangeTarget target, string method, HeaderFields fields, Stream? content, IPAddress? client, CancellationToken cancellationToken)
    {
        var place = new FetchPlace(FetchPriority.Demand, client, target.Upstreams[0].Authority);
        await limits.Queue.EnterAsync(place, cancellationToken);
        bool isPassedOn = false;
        try
        {
            UpstreamFailure? failure = null;
            bool isSafe = content is null && method is "GET" or "HEAD";
            int left = isSafe ? target.Upstreams.Count : 1;
            foreach (Uri upstream in isSafe ? distrust.Order(target.Upstreams) : target.Upstreams.Take(1))
            {
                AskResult result = await AskOneAsync(target, upstream, method, fields, content, cancellationToken);
                if (result.Answer is { } answer)
                {
                    if (--left > 0 && answer.Status >= 500)
                    {
                        // A mirror may be better off; what the last one says counts.
                        answer.Dispose();
                        counters.CountUpstreamFailure(upstream.Authority, FailureKind.Refused);
                        continue;
                    }

                    isPassedOn = true;
                    answer.WhenDisposed(() => limits.Queue.Leave(place));
                    return result;
                }

                left--;
                failure = result.Failure;
                counters.CountUpstreamFailure(upstream.Authority, failure!.Kind);
            }

            return new AskResult(null, failure ?? new UpstreamFailure(FailureKind.NoUpstream, "no origin is configured"));
        }
        finally
        {
            if (!isPassedOn)
            {
                limits.Queue.Leave(place);
            }
        }
    }

    private async Task<AskResult> AskOneAsync(
        ExchangeTarget target, Uri upstream, string method, HeaderFields fields, Stream? content, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_headPatience);
        DateTimeOffset requestedAt = time.GetUtcNow();
        HttpResponseMessage? message = null;
        try
        {
            counters.CountUpstreamRequest(upstream.Authority);
            InterimQuestion.Current = new InterimQuestion(InterimReceiver.Current);
            using HttpRequestMessage request = Make(target, upstream, method, fields, content);
            message = await clients.SendAsync(request, target.IsConfigured, patience.Token);
            DateTimeOffset receivedAt = time.GetUtcNow();
            if (AnswerFraming.FaultOf(message) is { } fault)
            {
                message.Dispose();
                return Fail(FailureKind.BadHead, upstream, fault);
            }

            if ((int)message.StatusCode < 200)
            {
                message.Dispose();
                return Fail(FailureKind.BadHead, upstream, "switched protocols, which nobody asked for");
            }

            HeaderFields answer = FieldsOf(message);
            if (!answer.Has("Date"))
            {
                // RFC 9110, 6.6.1: who receives an answer without one adds it.
                answer.Add("Date", HttpDates.Format(receivedAt));
            }

            Stream body = await message.Content.ReadAsStreamAsync(patience.Token);
            return new AskResult(
                new FetchedAnswer(message, body, s_silence)
                {
                    Fields = HopByHop.Without(answer),
                    RequestedAt = requestedAt,
                    ReceivedAt = receivedAt,
                    Upstream = upstream.Authority,
                    GivesWay = true,
                    WhenEnded = broken => Judge(upstream, broken),
                },
                null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            message?.Dispose();
            return Fail(FailureKind.Timeout, upstream, "sent no answer in time");
        }
        catch (HttpRequestException e) when (e.InnerException is BadHttpRequestException)
        {
            message?.Dispose();
            ExceptionDispatchInfo.Throw(e.InnerException); // the client's body is none: not the origin's fault
            throw;
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            message?.Dispose();
            return Fail(UpstreamClient.KindOf(e), upstream, $"could not be asked: {e.Message}");
        }
    }

    private void Judge(Uri upstream, string? broken)
    {
        if (broken is not null)
        {
            distrust.Mark(upstream.Authority);
        }
    }

    private HttpRequestMessage Make(ExchangeTarget target, Uri upstream, string method, HeaderFields fields, Stream? content)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), upstream)
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content is null ? null : new StreamContent(content),
        };
        request.Headers.TryAddWithoutValidation("Host", target.HostField);
        foreach ((string name, string value) in fields)
        {
            if (name.Equals("Host", StringComparison.OrdinalIgnoreCase) || name.Equals("Expect", StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            if (s_contentFields.Contains(name))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, value);
            }
            else
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        loops.Sign(request);
        return request;
    }

    private static HeaderFields FieldsOf(HttpResponseMessage message)
    {
        var fields = new HeaderFields();
        foreach ((string name, System.Net.Http.Headers.HeaderStringValues values) in
            message.Headers.NonValidated.Concat(message.Content.Headers.NonValidated))
        {
            foreach (string value in values.Where(value => FieldGrammar.IsText(value)))
            {
                fields.Add(name, value);
            }
        }

        return fields;
    }

    private static AskResult Fail(FailureKind kind, Uri upstream, string what) =>
        new(null, new UpstreamFailure(kind, $"{upstream.Authority} {what}"));
}
