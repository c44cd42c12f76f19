using System.Net;
using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Outcomes;

/// <summary>
/// What is known of a request before it is answered. A value: filling one allocates nothing as long as its strings exist anyway.
/// </summary>
internal readonly struct RequestFacts
{
    /// <inheritdoc cref="RequestRecord.StartedAt"/>
    public required long StartedAt { get; init; }

    /// <inheritdoc cref="RequestRecord.Method"/>
    public required RequestMethod Method { get; init; }

    /// <inheritdoc cref="RequestRecord.Client"/>
    public IPAddress? Client { get; init; }

    /// <inheritdoc cref="RequestRecord.Connection"/>
    public string? Connection { get; init; }

    /// <summary>The object that was asked for; null: something else.</summary>
    public ObjectKey? Key { get; init; }

    /// <inheritdoc cref="RequestRecord.Fqrn"/>
    public Fqrn? Fqrn { get; init; }

    /// <inheritdoc cref="RequestRecord.Authority"/>
    public string? Authority { get; init; }

    /// <inheritdoc cref="RequestRecord.Target"/>
    public string? Target { get; init; }

    /// <inheritdoc cref="RequestRecord.UserAgent"/>
    public string? UserAgent { get; init; }

    /// <inheritdoc cref="RequestRecord.PathHint"/>
    public string? PathHint { get; init; }

    /// <summary>The record of the request when it has ended. All records of requests are made here.</summary>
    /// <param name="result">How it ended.</param>
    /// <param name="status">HTTP status; 0 when the client left before there was one.</param>
    /// <param name="bytesSent">Body bytes handed to the connection.</param>
    /// <param name="answeredAt"><see cref="RequestRecord.AnsweredAt"/>.</param>
    /// <param name="endedAt"><see cref="RequestRecord.EndedAt"/>.</param>
    /// <param name="upstream"><see cref="RequestRecord.Upstream"/>.</param>
    /// <param name="source">Where the bytes came from; null: what the result implies, all in memory.</param>
    public RequestRecord Ended(
        RequestResult result, int status, long bytesSent, long answeredAt, long endedAt, string? upstream = null,
            ByteSource? source = null) => new()
            {
                StartedAt = StartedAt,
                AnsweredAt = answeredAt,
                EndedAt = endedAt,
                Result = result,
                Source = source ?? RequestRecord.SourceOf(result, touchedDisk: false),
                Method = Method,
                Status = (short)status,
                BytesSent = bytesSent,
                Key = Key.GetValueOrDefault(),
                HasKey = Key.HasValue,
                Fqrn = Fqrn,
                Client = Client,
                Connection = Connection,
                Authority = Authority,
                Target = Target,
                Upstream = upstream,
                UserAgent = UserAgent,
                PathHint = PathHint,
            };
}
