using System.Net;
using System.Net.Http.Headers;
using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// Asks the Stratum 1s of a repository for an external file, one after the other as for objects, but over connections and from places of
/// their own, so that no object waits for a file. Thread-safe.
/// </summary>
internal sealed class FileAsker(
    UpstreamClient client, ExchangeLimits limits, Distrust distrust, ProxyOptions options, TimeProvider time)
{
    /// <summary>Asks until one gives a good head.</summary>
    /// <param name="exchange">What the client wants.</param>
    /// <param name="file">The file.</param>
    /// <param name="method">GET or HEAD.</param>
    /// <param name="fields">Fields to send.</param>
    /// <param name="known">
    /// The stored answer that is checked, or, where <paramref name="fields"/> has <c>If-Range</c>, of which a part is missing: who has
    /// another generation is passed over. Validators are a Stratum 1's own, so the one that sent it is asked first.
    /// </param>
    /// <param name="cancellationToken">Ends the wait for the head.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task<AskResult> AskAsync(
        Exchange exchange, ExternalFile file, string method, HeaderFields fields, StoredHead? known, CancellationToken cancellationToken)
    {
        var place = new FetchPlace(FetchPriority.Demand, exchange.Client, file.Repository.Cluster);
        if (!await TryEnterAsync(place, cancellationToken))
        {
            return new AskResult(null, new UpstreamFailure(
                FailureKind.Timeout, "as many files are being fetched as may be at a time, or as this client's share allows"));
        }

        bool isPassedOn = false;
        try
        {
            CandidateCursor cursor = client.Candidates(file.Repository, file.Hint);
            cursor.Order(upstream => distrust.IsMarked(NameOf(upstream)) ? 2 : upstream.Authority == known?.Source ? 0 : 1);
            var question = new FileQuestion(method, file.Path, fields, file.Hint);
            bool isPart = known is not null && fields.Has("If-Range");
            DateTimeOffset requestedAt = time.GetUtcNow();
            while (await client.OpenAsync(question, cursor, cancellationToken) is { } response)
            {
                FetchedAnswer answer = await ToAnswerAsync(response, cursor, requestedAt, cancellationToken);
                if (isPart && !Generation.IsSame(known!, answer))
                {
                    client.Note(cursor, response.Upstream, FailureKind.NotFound, "has another generation of it");
                    answer.Dispose();
                    continue;
                }

                if (method == "HEAD" || answer.Status == StatusCodes.Status304NotModified)
                {
                    client.NoteSuccess(response.Upstream);
                }

                isPassedOn = true;
                answer.WhenDisposed(() => limits.Files.Leave(place));
                return new AskResult(answer, null);
            }

            return question.Unsatisfied is { } range && exchange.Fields.Has("Range")
                ? new AskResult(Unsatisfied(range, requestedAt), null)
                : new AskResult(null, cursor.ToFailure());
        }
        finally
        {
            if (!isPassedOn)
            {
                limits.Files.Leave(place);
            }
        }
    }

    /// <summary>By then every client that waits for it has its 504: who fetches for all has no client that could leave.</summary>
    private async Task<bool> TryEnterAsync(FetchPlace place, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(options.AnswerTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await limits.Files.EnterAsync(place, either.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>It is distrusted for its files alone: objects prove themselves.</summary>
    private static string NameOf(Stratum1 upstream) => $"file:{upstream.Authority}";

    private async Task<FetchedAnswer> ToAnswerAsync(
        UpstreamResponse response, CandidateCursor cursor, DateTimeOffset requestedAt, CancellationToken cancellationToken)
    {
        DateTimeOffset receivedAt = time.GetUtcNow();
        var fields = new HeaderFields();
        foreach ((string name, string value) in FileQuestion.Relayed(response.Message))
        {
            fields.Add(name, value);
        }

        HttpContentHeaders content = response.Message.Content.Headers;
        if (content.ContentRange is { } range)
        {
            fields.Set("Content-Range", range.ToString());
        }

        if (content.ContentLength is { } length)
        {
            fields.Set("Content-Length", length.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        if (!fields.Has("Date"))
        {
            fields.Add("Date", HttpDates.Format(receivedAt));
        }

        Stream body = response.Body ?? await response.Message.Content.ReadAsStreamAsync(cancellationToken);
        return new FetchedAnswer(response.Message, body, options.FetchPatience)
        {
            Fields = fields,
            RequestedAt = requestedAt,
            ReceivedAt = receivedAt,
            Upstream = response.Upstream.Authority,
            First = response.First,
            WhenEnded = broken => Judge(response.Upstream, cursor, broken),
        };
    }

    private void Judge(Stratum1 upstream, CandidateCursor cursor, string? broken)
    {
        if (broken is null)
        {
            client.NoteSuccess(upstream);
            return;
        }

        distrust.Mark(NameOf(upstream));
        client.Note(cursor, upstream, FailureKind.Broken, broken);
    }

    /// <summary>All have less of it than the client wants.</summary>
    private FetchedAnswer Unsatisfied(string range, DateTimeOffset requestedAt)
    {
        DateTimeOffset now = time.GetUtcNow();
        var fields = new HeaderFields();
        fields.Add("Content-Range", range);
        fields.Add("Date", HttpDates.Format(now));
        var message = new HttpResponseMessage(HttpStatusCode.RequestedRangeNotSatisfiable) { Content = new ByteArrayContent([]) };
        return new FetchedAnswer(message, Stream.Null, options.FetchPatience)
        {
            Fields = fields,
            RequestedAt = requestedAt,
            ReceivedAt = now,
            Upstream = "",
        };
    }
}
