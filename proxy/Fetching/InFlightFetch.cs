using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// One coalesced download. It belongs to no client: it ends early only when no follower is left and too much is missing.
/// A broken transfer is continued from another Stratum 1, a wrong body is fetched anew from another.
/// </summary>
// A CancellationTokenSource without a timer holds nothing; disposing it would race with the last follower's leaving.
#pragma warning disable CA1001
internal sealed partial class InFlightFetch
#pragma warning restore CA1001
{
    /// <summary>What is still fetched for the store alone when its last client has left: a chunk of CernVM-FS is 16 MiB at most.</summary>
    private const long WorthFinishingBytes = 16 << 20;

    private readonly FetchServices _services;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _cancel = new();
    private readonly Lock _gate = new();
    private readonly FetchWays _ways;
    private readonly BodyAuthors _authors;
    private readonly BodySuccession _bodies;
    private readonly FetchSources _sources;
    private volatile Transfer? _transfer;
    private volatile UpstreamFailure? _failure;
    private volatile bool _isForNode;
    private int _followers;                             // guarded by _gate
    private volatile bool _isAbandoned;                 // written under _gate
    private bool _isWaitedFor;                          // guarded by _gate: it is over, followers of a wrong body have yet to move
    private bool _wasReplaced;                          // guarded by _gate

    /// <summary>Makes one; <paramref name="turnUpstream"/> and the next are those of <see cref="FetchCoordinator"/>.</summary>
    public InFlightFetch(FetchOrder order, FetchServices services, NotFoundMemory notFound, Predicate<InFlightFetch> turnUpstream,
        Func<FetchOrder, FetchTicket> joinOrStart, ILogger<InFlightFetch> log)
    {
        Order = order;
        _services = services;
        JoinOrStart = joinOrStart;
        _log = log;
        _bodies = new BodySuccession(() => services.Bodies.Begin(order));
        _authors = new BodyAuthors(order.Key, services, log);
        _ways = new FetchWays(order, services, notFound, onFailed: () => Body.Wake());

        // Whoever has read of this body goes on with it, even if another fetch brings the same.
        _sources = new FetchSources(order, services, _ways, () => turnUpstream(this) || Body.Released > 0);
    }

    /// <summary>What its first client asked for.</summary>
    public FetchOrder Order { get; }

    /// <summary>For who cannot go on in this one.</summary>
    public Func<FetchOrder, FetchTicket> JoinOrStart { get; }

    /// <summary>The body in force.</summary>
    public GrowingObject Body => _bodies.Current;

    /// <summary>Why it failed; null while it has not.</summary>
    public UpstreamFailure? Failure => _failure;

    /// <summary>How many leading bytes of the body in force are known to equal those of the bodies before it.</summary>
    public long AgreedBytes => _bodies.AgreedBytes;

    /// <summary>Host and port of the Stratum 1 that delivers or delivered.</summary>
    public string? Upstream { get; private set; }

    /// <summary>Requests that wait for it or read from it.</summary>
    public int Followers
    {
        get
        {
            lock (_gate)
            {
                return _followers;
            }
        }
    }

    /// <summary>May somebody still join it?</summary>
    public bool IsOpen => !_isAbandoned && _failure is null && Body.State == GrowthState.Growing;

    /// <inheritdoc cref="FetchSources.IsUpstream"/>
    public bool IsUpstream => _sources.IsUpstream;

    /// <summary>Will the store keep this body, as far as can be told?</summary>
    public bool IsToBeStored(GrowingObject body) => _services.Bodies.IsToBeStored(body);

    /// <summary>Joins. Null: too late, or too many ask for it in too many ways; start another.</summary>
    public FetchFollower? TryJoin(FetchOrder order, bool isLeader)
    {
        lock (_gate)
        {
            if (_isAbandoned || !Order.Suits(order) || Body.TryOpenReader() is not { } reader)
            {
                return null;
            }

            if (_ways.Join(order) is not { } way)
            {
                _ = reader.DisposeAsync().AsTask();
                return null;
            }

            _followers++;
            return new FetchFollower(this, way, reader, isLeader);
        }
    }

    /// <summary>Somebody who wants it this urgently has joined.</summary>
    public void Promote(FetchPriority priority, System.Net.IPAddress? client) => _sources.Promote(priority, client);

    /// <summary>Another node waits for it: it gets all but the end as it comes, since it judges by itself.</summary>
    public void NoteNode() => _isForNode = true;

    /// <summary>A follower left.</summary>
    public void Left(FetchWay way)
    {
        _ways.Left(way);
        bool isLastOfAll;
        lock (_gate)
        {
            _followers--;
            isLastOfAll = _followers == 0 && _isWaitedFor;
            _isWaitedFor &= !isLastOfAll;
        }

        if (isLastOfAll)
        {
            _ = Body.ReleaseHoldAsync().AsTask();
        }
        else
        {
            GiveUpIfUnwanted();
        }
    }

    private void GiveUpIfUnwanted()
    {
        lock (_gate)
        {
            if (_followers > 0 || Body.State != GrowthState.Growing
                || (_sources.HasBegun && Body.Length - Body.Appended <= WorthFinishingBytes))
            {
                return;
            }

            // Before the head is in nothing is known: most objects are small, so the fetch goes on. One that still waits in line does not,
            // or clients that ask and leave make the line as long as they like.
            if (_sources.HasBegun && Body.Length is null && Body.Appended <= WorthFinishingBytes)
            {
                return;
            }

            _isAbandoned = true;
        }

        _cancel.Cancel();
    }

    /// <summary>Called a few times a second: releases what time allows, moves on from a stalled transfer.</summary>
    public void Tick()
    {
        _transfer?.Tick();
        ReleaseByPolicy(Body, stepBytes: 1);
    }

    /// <summary>The store has the object after all: the followers look there. Instead of <see cref="RunAsync"/>.</summary>
    public void EndAsStored()
    {
        FailAsStored();
        _ = Body.ReleaseHoldAsync().AsTask();
    }

    /// <summary>Runs the fetch to its end; never throws.</summary>
    public async Task RunAsync()
    {
        try
        {
            using System.Diagnostics.Activity? span = Observability.Telemetry.Spans.StartActivity("fetch");
            span?.SetTag("breakwater.object", Order.Key.ToString());
            try
            {
                await FetchAsync();
            }
            finally
            {
                _sources.Leave();
            }

            if (Body.State == GrowthState.Verified)
            {
                CommitResult result = await Body.CommitAsync();
                if (result is not (CommitResult.Committed or CommitResult.AlreadyPresent))
                {
                    LogNotStored(_log, Order.Key, result);
                }
            }
        }
        catch (OperationCanceledException)
        {
            Fail(new UpstreamFailure(FailureKind.Broken, "the fetch was given up: its last client left"));
        }
        catch (Exception e)
        {
            LogBug(_log, e, Order.Key);
            Fail(new UpstreamFailure(FailureKind.Broken, "the fetch failed inside the proxy; its log says why"));
        }
        finally
        {
            await EndAsync();
        }
    }

    /// <summary>
    /// Lets go of the body, unless somebody still reads from one that turned out wrong: a slow client's follower moves to the right one
    /// late.
    /// </summary>
    private ValueTask EndAsync()
    {
        lock (_gate)
        {
            _isWaitedFor = _wasReplaced && _followers > 0;
            return _isWaitedFor ? ValueTask.CompletedTask : Body.ReleaseHoldAsync();
        }
    }

    private async Task FetchAsync()
    {
        try
        {
            while (true)
            {
                FillResult filled = await FillAsync(_bodies.Current);
                if (filled == FillResult.Right || (filled == FillResult.Whole && TryVerify(_authors.NoteRight)))
                {
                    return;
                }

                if (filled is FillResult.Whole or FillResult.Disagreed)
                {
                    _authors.NoteWrong(isWhole: filled == FillResult.Whole);
                }

                if (filled == FillResult.Failed && _sources.IsElsewhere)
                {
                    FailAsStored();
                    return;
                }

                if (filled == FillResult.Failed || _sources.TryEnd())
                {
                    Fail(_ways.FailAll());
                    return;
                }

                lock (_gate)
                {
                    _wasReplaced = true;
                }

                await _bodies.ReplaceAsync();
            }
        }
        finally
        {
            await _bodies.ForgetPreviousAsync();
        }
    }

    /// <summary>Brings the body in whole, from as many Stratum 1s as it takes.</summary>
    private async Task<FillResult> FillAsync(GrowingObject body)
    {
        _authors.Clear();
        while (true)
        {
            if (await _sources.OpenAsync(body.Appended, _cancel.Token) is not { } answer)
            {
                return FillResult.Failed;
            }

            using UpstreamResponse response = answer.Response;
            FetchWay way = answer.Way;
            Upstream = response.Upstream.Authority;
            _authors.Add(way, response.Upstream);
            if (response.IsNoContinuation || (body.Length is { } known && response.TotalLength is { } other && known != other))
            {
                // Whoever is right about the length, this one answers for a whole body of its own next.
                _authors.Contradicts(response.Upstream);
                _ways.Prefer(way, response.Upstream);
                return FillResult.Disagreed;
            }

            if (response.TotalLength is { } total)
            {
                body.DeclareLength(total);
            }

            if (!response.Upstream.IsNode)
            {
                _services.Counters.UpstreamObjectRequests.Add(1);
            }

            long before = body.Appended;
            var transfer = new Transfer(_services, _ways, way, body, Turn, AppendAsync,
                Transfer.GlanceFor(_services.Options.AnswerTimeout, response.Upstream.IsNode && _sources.IsMoved));
            _transfer = transfer;
            TransferEnd end = await transfer.RunAsync(response, _cancel.Token);
            _transfer = null;
            if (response.Upstream.IsNode)
            {
                _services.NodeLine.Nodes.NoteBorrowed(response.Upstream, body.Appended - before, _sources.IsMoved);
            }

            if (end.IsWhole)
            {
                _authors.NoteEnd(response.Upstream, transfer.BytesPerSecond);
                if (_authors.AreSeveral)
                {
                    // Should the digest not match, whoever finished answers for a whole body next: another broke off, and may lie as well.
                    _ways.Prefer(way, response.Upstream);
                }

                return FillResult.Whole;
            }

            bool isSlowNode = response.Upstream.IsNode && (end.IsTardy || end.Blame == FailureKind.Timeout);
            if (end.IsTardy && isSlowNode)
            {
                // Nothing but the site's own network is between: it is slow itself, and each fetch from it would cost that time.
                _services.Client.Note(way.Cursor!, response.Upstream, FailureKind.Timeout, "was too slow");
            }
            else if (end.IsTardy)
            {
                _ways.MayHurry = false;
                _authors.NoteTardy(way, response.Upstream, transfer.BytesPerSecond);
            }

            if (end.Blame is { } blame)
            {
                _services.Client.Note(way.Cursor!, response.Upstream, blame, end.What);
            }

            if (body.Appended > 0 && TryVerify(() => _authors.NoteRightWithoutEnd(way, response.Upstream)))
            {
                return FillResult.Right;
            }

            if (!isSlowNode)
            {
                way.Cursor!.Requeue(response.Upstream);
            }
            else if (body.Appended > 0 && body.Released == 0)
            {
                // A few bytes of a sick node are not worth what they cost if they are wrong: one more request upstream.
                return FillResult.Dropped;
            }
        }
    }

    private PaceTurn Turn() =>
        _sources.Priority == FetchPriority.Prefetch || Volatile.Read(ref _followers) == 0 ? PaceTurn.Idle
        : Body.Released == 0 ? PaceTurn.First : PaceTurn.More;

    private async ValueTask AppendAsync(ReadOnlyMemory<byte> bytes)
    {
        await _bodies.AppendAsync(bytes, _cancel.Token);
        ReleaseByPolicy(_bodies.Current, ReleasePolicy.StepBytes);

        // The last client may have left when it was not known how much is missing.
        GiveUpIfUnwanted();
    }

    /// <summary>Is the body right? What is known of its senders by then is noted before anybody gets the rest.</summary>
    private bool TryVerify(Action note) => _services.Bodies.TryVerify(_bodies.Current, Order, note);

    private void ReleaseByPolicy(GrowingObject body, int stepBytes)
    {
        long released = ReleasePolicy.Released(
            body.Appended, body.Length, _services.Time.GetElapsedTime(_sources.BegunAt), Volatile.Read(ref _followers), _isForNode);
        body.Release(released - (released % stepBytes));
    }

    /// <summary>The followers look in the store, and for another fetch.</summary>
    private void FailAsStored() => Fail(new UpstreamFailure(FailureKind.AlreadyStored, "it is in the store, or comes by another fetch"));

    private void Fail(UpstreamFailure failure)
    {
        _failure = failure;
        Body.Break();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Key} was fetched but not stored: {Result}")]
    private static partial void LogNotStored(ILogger log, ObjectKey key, CommitResult result);

    [LoggerMessage(Level = LogLevel.Error, Message = "Fetching {Key} failed")]
    private static partial void LogBug(ILogger log, Exception exception, ObjectKey key);
}
