using System.Buffers.Binary;
using System.Net;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// Asks the node of the site that owns a URL before its origin is asked: that one coalesces, stores and revalidates for all (ADR 133). Who
/// waits for a node holds no place among the fetches from origins, else two nodes whose places are all taken would wait for each other.
/// Thread-safe.
/// </summary>
internal sealed class NodeAsker(ISiteNodes nodes, TimeProvider time)
{
    /// <summary>Answers of nodes under way at a time; more wait in line.</summary>
    private const int MaxAsked = 256;

    /// <summary>Longest wait for a byte, as of an origin: the owner has no more either.</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromMinutes(1);

    private readonly FetchQueue _line = new(MaxAsked, prefetchLimit: 0);

    /// <summary>Is another node asked for it?</summary>
    public bool IsFor(Exchange exchange) => exchange.MayAskNodes && nodes.Before(exchange.Target.Uri).Count > 0;

    /// <summary>Asks the owner, then the second. Null: none of them has an answer; nothing of it was sent to anybody.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task<FetchedAnswer?> AskAsync(Exchange exchange, HeaderFields fields, CancellationToken cancellationToken)
    {
        if (NodeQuestion.Write(exchange.Target.Asked, fields) is not { } question)
        {
            return null;
        }

        var place = new FetchPlace(FetchPriority.Demand, exchange.Client);
        await _line.EnterAsync(place, cancellationToken);
        FetchedAnswer? answer = null;
        try
        {
            TimeSpan patience = nodes.HeadTimeout;
            foreach (Stratum1 node in nodes.Before(exchange.Target.Uri))
            {
                answer = await AskAsync(node, exchange, question, patience, cancellationToken);
                if (answer is not null)
                {
                    break;
                }

                patience = nodes.HeadTimeout / 2;
            }
        }
        finally
        {
            if (answer is null)
            {
                _line.Leave(place);
            }
        }

        answer?.WhenDisposed(() => _line.Leave(place));
        return answer;
    }

    /// <summary>What came of it was not what its URL names.</summary>
    public void NoteWrong(FetchedAnswer answer)
    {
        if (answer.Node is { } node)
        {
            nodes.NoteFailure(node, FailureKind.WrongBytes);
        }
    }

    private async Task<FetchedAnswer?> AskAsync(Stratum1 node, Exchange exchange, string question, TimeSpan patience,
        CancellationToken cancellationToken)
    {
        DateTimeOffset requestedAt = time.GetUtcNow();
        using var late = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        HttpResponseMessage? response = null;
        try
        {
            response = await node.Client.SendAsync(Make(node, exchange, question), either.Token);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                // It does not take it for ordinary HTTP, or not from us: its settings differ.
                response.Dispose();
                return null;
            }

            Stream body = await response.Content.ReadAsStreamAsync(cancellationToken);
            FetchedAnswer? answer = await ReadAsync(node, exchange, response, body, requestedAt, cancellationToken);
            nodes.NoteAnswer(node);
            if (answer is null)
            {
                response.Dispose();
            }

            return answer;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TimeoutException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            response?.Dispose();
            nodes.NoteFailure(node, e is TimeoutException ? FailureKind.Timeout : UpstreamClient.KindOf(e));
            return null;
        }
        catch
        {
            response?.Dispose();
            throw;
        }
    }

    private HttpRequestMessage Make(Stratum1 node, Exchange exchange, string question)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, node.UrlOf(NodeQuestion.Path))
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        nodes.Sign(request);
        request.Headers.TryAddWithoutValidation(NodeQuestion.Field, question);
        request.Headers.TryAddWithoutValidation(ContentQuestion.ErrandField, NodeWay.ErrandOf(FetchPriority.Demand, exchange.Client));

        // An origin that thinks for a minute takes no object its connection.
        request.Options.Set(ClusterHandler.IsApart, true);
        return request;
    }

    /// <summary>The head may take as long as the origin's; a node that is gone meanwhile is not waited for.</summary>
    private async Task<FetchedAnswer?> ReadAsync(Stratum1 node, Exchange exchange, HttpResponseMessage response, Stream body,
        DateTimeOffset requestedAt, CancellationToken cancellationToken)
    {
        using var given = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<byte[]> reading = ReadHeadAsync(body, given.Token);
        while (await Task.WhenAny(reading, Task.Delay(nodes.HeadTimeout, time, cancellationToken)) != reading)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!nodes.Before(exchange.Target.Uri).Contains(node))
            {
                await given.CancelAsync();
                await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw new TimeoutException("the node is gone");
            }
        }

        if (!NodeQuestion.TryReadHead(await reading, out int status, out string reason, out HeaderFields? fields))
        {
            throw new IOException("the node's answer is none");
        }

        if (status == NodeWay.CouldNotGet)
        {
            return null;
        }

        var message = new HttpResponseMessage((HttpStatusCode)status) { ReasonPhrase = reason, Content = new StreamContent(body) };
        if (long.TryParse(fields.Only("Content-Length"), System.Globalization.NumberStyles.None, null, out long length))
        {
            message.Content.Headers.ContentLength = length;
        }
        else
        {
            // How it ended is known: it is cut where it is not whole.
            message.Headers.TransferEncodingChunked = true;
        }

        var answer = new FetchedAnswer(message, body, s_silence)
        {
            Fields = HopByHop.Without(fields),
            RequestedAt = requestedAt,
            ReceivedAt = time.GetUtcNow(),
            Upstream = node.Authority,
            Node = node,
        };
        answer.WhenDisposed(response.Dispose);
        return answer;
    }

    private static async Task<byte[]> ReadHeadAsync(Stream body, CancellationToken cancellationToken)
    {
        byte[] prefix = new byte[NodeQuestion.PrefixBytes];
        await body.ReadExactlyAsync(prefix, cancellationToken);
        int length = BinaryPrimitives.ReadInt32LittleEndian(prefix);
        if (length is < 0 or > NodeQuestion.MaxHeadBytes)
        {
            throw new IOException("the node's answer has no head");
        }

        byte[] head = new byte[length];
        await body.ReadExactlyAsync(head, cancellationToken);
        return head;
    }
}
