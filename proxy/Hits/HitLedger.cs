using System.Text;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Requests;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;

namespace Breakwater.Proxy.Hits;

/// <summary>Takes note of the requests that are answered on the event loops. Thread-safe.</summary>
internal sealed class HitLedger(
    RequestRecorder recorder, ProxyCounters counters, ExchangeCounters exchanges, BootObserver boots, TimeProvider time)
{
    private readonly RecentTexts _texts = new();

    /// <summary>A <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long Now => time.GetTimestamp();

    /// <summary>One more hit is answered on the loops.</summary>
    public void CountHit() => counters.CountHitPathAnswer();

    /// <summary>
    /// What is known of a request. Texts of the client are taken when somebody reads them, so that a hit costs nothing for their sake.
    /// </summary>
    public RequestFacts FactsOf(in RequestHead head, in RequestTarget target, RepositoryRoute repository, LoopConnection connection,
        long startedAt)
    {
        bool isObject = target.Kind == TargetKind.Object;
        bool keepsTexts = recorder.KeepsTexts;
        return new RequestFacts
        {
            StartedAt = startedAt,
            Method = head.IsHead ? RequestMethod.Head : RequestMethod.Get,
            Client = connection.Client,
            Connection = BootClient.MayBoot(head.UserAgent) ? connection.Id : null,
            Key = isObject ? target.Key : null,
            Fqrn = repository.Fqrn,
            Authority = keepsTexts ? _texts.Of(target.Authority) : null,
            Target = isObject ? null : $"/cvmfs/{repository.Fqrn}/{Encoding.ASCII.GetString(target.Path)}",
            UserAgent = keepsTexts ? _texts.Of(head.UserAgent) : null,
            PathHint = keepsTexts && head.PathHint.Length > 0 ? Encoding.ASCII.GetString(head.PathHint) : null,
        };
    }

    /// <summary>What is known of a request of ordinary HTTP.</summary>
    public RequestFacts FactsOf(in RequestHead head, ReadyAnswer ready, LoopConnection connection, long startedAt)
    {
        bool keepsTexts = recorder.KeepsTexts;
        return new RequestFacts
        {
            StartedAt = startedAt,
            Method = RequestMethod.Get,
            Client = connection.Client,
            Connection = BootClient.MayBoot(head.UserAgent) ? connection.Id : null,
            Target = ready.TargetText,
            UserAgent = keepsTexts ? _texts.Of(head.UserAgent) : null,
            PathHint = keepsTexts && head.PathHint.Length > 0 ? Encoding.ASCII.GetString(head.PathHint) : null,
        };
    }

    /// <summary>The request may be one of a boot.</summary>
    public void Observe(in RequestFacts facts, RepositoryRoute repository)
    {
        if (facts.Connection is not null)
        {
            boots.Observe(repository, facts.Key, facts.Client!, facts.Connection);
        }
    }

    /// <summary>An answer with status 200 went out at once, now.</summary>
    public void RecordSent(in RequestFacts facts, RequestResult result, long bytesSent, string? upstream = null)
    {
        long now = time.GetTimestamp();
        recorder.Record(facts.Ended(result, StatusCodes.Status200OK, bytesSent, now, now, upstream));
        CountExchange(facts, result, bytesSent);
    }

    /// <summary>An answer with status 200 that was under way has ended, now.</summary>
    /// <param name="facts">The request.</param>
    /// <param name="end">How it ended.</param>
    /// <param name="whole">How it is counted when everything is out.</param>
    /// <param name="bytesSent">Body bytes that went out.</param>
    /// <param name="answeredAt">When its head went out.</param>
    /// <param name="upstream">The Stratum 1 that was asked; null: none.</param>
    public void RecordEnd(in RequestFacts facts, AnswerEnd end, RequestResult whole, long bytesSent, long answeredAt, string? upstream)
    {
        RequestResult result = end switch
        {
            AnswerEnd.ClientGone => RequestResult.ClientGone,
            AnswerEnd.Failed => RequestResult.Failed,
            _ => whole,
        };
        ByteSource source = RequestRecord.SourceOf(whole, touchedDisk: false);
        recorder.Record(facts.Ended(result, StatusCodes.Status200OK, bytesSent, answeredAt, time.GetTimestamp(), upstream, source));
        CountExchange(facts, result, bytesSent);
    }

    /// <summary>The client left before its answer began.</summary>
    public void RecordUnanswered(in RequestFacts facts, string? upstream) =>
        recorder.Record(facts.Ended(RequestResult.ClientGone, 0, 0, 0, time.GetTimestamp(), upstream));

    /// <summary>What is of no repository is of ordinary HTTP.</summary>
    private void CountExchange(in RequestFacts facts, RequestResult result, long bytesSent)
    {
        if (facts.Fqrn is null)
        {
            exchanges.Count(result, bytesSent);
        }
    }
}
