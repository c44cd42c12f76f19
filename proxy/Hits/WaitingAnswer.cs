using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Hits;

/// <summary>
/// The answer of a request that has joined the fetch of its object. When the object is whole it goes out from the store; when it is known
/// to take long it goes out while it is fetched. A request that fails, or waits too long, is handed to the pipeline together with its place
/// in the fetch.
/// </summary>
internal sealed class WaitingAnswer(HitJoins joins, RequestFacts facts, RepositoryRoute repository, JoinedRequest joined) : LoopAnswer
{
    private LoopAnswer? _begun;         // how it goes out, once that is known
    private long _sent = -1;            // body bytes of an answer that went out at once

    /// <inheritdoc/>
    public override bool HasBegun => _begun is not null || _sent >= 0;

    /// <inheritdoc/>
    public override bool TakesTurns => _begun is { TakesTurns: true };

    /// <inheritdoc/>
    public override AnswerProgress GoOn(int socket)
    {
        if (_begun is null)
        {
            if (joined.IsUndecided)
            {
                return AnswerProgress.Starved;
            }

            AnswerProgress first = joins.MayAnswer(facts) ? Begin(socket) : AnswerProgress.ForKestrel;
            if (_begun is null)
            {
                return first;
            }
        }

        return _begun.GoOn(socket);
    }

    /// <inheritdoc/>
    public override Task Change() => _begun is null ? joined.Change() : _begun.Change();

    /// <inheritdoc/>
    public override BegunRequest HandOver() => new(joined, joined.StartedAt);

    /// <inheritdoc/>
    public override void End(AnswerEnd end)
    {
        if (_begun is not null)
        {
            _begun.End(end);
            return;
        }

        if (_sent >= 0)
        {
            joins.RecordSent(facts, joined, _sent);
        }
        else
        {
            joins.RecordUnanswered(facts, joined);
        }

        Leave();
    }

    private AnswerProgress Begin(int socket)
    {
        StoredAnswer stored = StoredAnswer.Take();
        switch (joins.TrySendStored(facts, repository, joined, socket, stored, out long bodyBytes))
        {
            case FirstAnswer.Sent:
                stored.Return();
                _sent = bodyBytes;
                return AnswerProgress.Done;
            case FirstAnswer.Answering:
                _begun = stored;
                Leave();
                return AnswerProgress.Full;
            default:
                stored.Return();
                _begun = joins.TryStream(facts, joined);
                return AnswerProgress.ForKestrel;
        }
    }

    /// <summary>The fetch has one follower less.</summary>
    private void Leave() => _ = joined.DisposeAsync().AsTask();
}
