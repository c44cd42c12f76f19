using System.Buffers;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Threading;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// One coalesced download. It belongs to no client: it ends early only when no follower is left and too much is missing.
/// A broken transfer is continued from another Stratum 1, a wrong body is fetched anew from another.
/// </summary>
#pragma warning disable CA1001 // A CancellationTokenSource without a timer holds nothing; disposing it would race with the last follower's leaving.
internal sealed partial class InFlightFetch
#pragma warning restore CA1001
{
    /// <summary>What is still fetched for the store alone when its last client has left: a chunk of CernVM-FS is 16 MiB at most.</summary>
    private const long WorthFinishingBytes = 16 << 20;

    private const int ReadBufferBytes = 128 << 10;

    private readonly FetchServices _services;
    private readonly FetchPlace _place;
    private readonly CancellationTokenSource _cancel = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Stratum1> _authors = [];   // of the body under way; only the fetch's own flow touches it
    private volatile GrowingObject _body;
    private volatile UpstreamFailure? _failure;
    private int _followers;                             // guarded by _gate
    private bool _isAbandoned;                          // guarded by _gate
    private bool _isWaitedFor;                          // guarded by _gate: it is over, followers of a wrong body have yet to move to the right one
    private ProgressWatch? _watch;                      // guarded by _gate: the transfer under way
    private CancellationTokenSource? _transfer;         // guarded by _gate
    private bool _wasReplaced;                          // guarded by _gate
    private long _begun;
    private long _agreed = long.MaxValue;               // leading bytes equal to those of the body before; MaxValue: there was none
    private long _agreedBefore = long.MaxValue;         // the same, one body earlier; MaxValue when nobody saw any of that one

    public InFlightFetch(FetchOrder order, FetchServices services)
    {
        Order = order;
        _place = new FetchPlace(order.Priority);
        _services = services;
        _begun = services.Time.GetTimestamp();
        _body = NewBody();
    }

    public FetchOrder Order { get; }

    /// <summary>The body in force.</summary>
    public GrowingObject Body => _body;

    /// <summary>Why it failed; null while it has not.</summary>
    public UpstreamFailure? Failure => _failure;

    /// <summary>How many leading bytes of the body in force are known to equal those of the bodies before it.</summary>
    public long AgreedBytes => Math.Min(Volatile.Read(ref _agreed), Volatile.Read(ref _agreedBefore));

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

    /// <summary>Joins. Null: too late, start another.</summary>
    public FetchFollower? TryJoin(bool isLeader)
    {
        lock (_gate)
        {
            if (_isAbandoned || _body.TryOpenReader() is not { } reader)
            {
                return null;
            }

            _followers++;
            return new FetchFollower(this, reader, isLeader);
        }
    }

    /// <summary>Somebody who wants it this urgently has joined.</summary>
    public void Promote(FetchPriority priority) => _services.Queue.Promote(_place, priority);

    /// <summary>A follower left.</summary>
    public void Left()
    {
        bool isLastOfAll;
        lock (_gate)
        {
            _followers--;
            isLastOfAll = _followers == 0 && _isWaitedFor;
            _isWaitedFor &= !isLastOfAll;
        }

        if (isLastOfAll)
        {
            _ = _body.ReleaseHoldAsync().AsTask();
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
            if (_followers > 0 || _body.State != GrowthState.Growing || _body.Length - _body.Appended <= WorthFinishingBytes)
            {
                return;
            }

            // Before the head is in nothing is known: most objects are small, so the fetch goes on.
            if (_body.Length is null && _body.Appended <= WorthFinishingBytes)
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
        CancellationTokenSource? stalled = null;
        lock (_gate)
        {
            TimeSpan now = _services.Time.GetElapsedTime(_begun);
            if (_watch is { } watch && watch.IsTooSlow(now))
            {
                stalled = _transfer;
                _watch = null;
            }
        }

        try
        {
            stalled?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The transfer ended just now.
        }

        ReleaseByPolicy(_body, stepBytes: 1);
    }

    /// <summary>The store has the object after all: the followers look there. Instead of <see cref="RunAsync"/>.</summary>
    public void EndAsStored()
    {
        Fail(new UpstreamFailure(FailureKind.AlreadyStored, "it is in the store"));
        _ = _body.ReleaseHoldAsync().AsTask();
    }

    /// <summary>Runs the fetch to its end; never throws.</summary>
    public async Task RunAsync()
    {
        try
        {
            using System.Diagnostics.Activity? span = Observability.Telemetry.Spans.StartActivity("fetch");
            span?.SetTag("breakwater.object", Order.Key.ToString());
            await _services.Queue.EnterAsync(_place, _cancel.Token);
            try
            {
                _begun = _services.Time.GetTimestamp();
                await FetchAsync();
            }
            finally
            {
                _services.Queue.Leave(_place);
            }

            if (_body.State == GrowthState.Verified)
            {
                CommitResult result = await _body.CommitAsync();
                if (result is not (CommitResult.Committed or CommitResult.AlreadyPresent))
                {
                    LogNotStored(_services.Log, Order.Key, result);
                }
            }
        }
        catch (OperationCanceledException)
        {
            Fail(new UpstreamFailure(FailureKind.Broken, "the fetch was given up: its last client left"));
        }
        catch (Exception e)
        {
            LogBug(_services.Log, e, Order.Key);
            Fail(new UpstreamFailure(FailureKind.Broken, "the fetch failed inside the proxy; its log says why"));
        }
        finally
        {
            await EndAsync();
        }
    }

    /// <summary>Lets go of the body, unless somebody still reads from one that turned out wrong: a slow client's follower moves to the right one late.</summary>
    private ValueTask EndAsync()
    {
        lock (_gate)
        {
            _isWaitedFor = _wasReplaced && _followers > 0;
            return _isWaitedFor ? ValueTask.CompletedTask : _body.ReleaseHoldAsync();
        }
    }

    private async Task FetchAsync()
    {
        CandidateCursor cursor = _services.Client.Candidates(Order.Repository, Order.Hint);
        GrowingObject? previous = null;
        try
        {
            while (true)
            {
                FillResult filled = await FillAsync(_body, cursor, previous);
                if (filled == FillResult.Failed)
                {
                    Fail(cursor.ToFailure());
                    return;
                }

                if (filled == FillResult.Whole && _body.TryVerify())
                {
                    foreach (Stratum1 author in _authors)
                    {
                        _services.Client.NoteSuccess(author);
                    }

                    return;
                }

                NoteWrong(cursor, filled);
                if (!cursor.HasNext)
                {
                    Fail(cursor.ToFailure());
                    return;
                }

                if (previous is not null)
                {
                    await previous.ReleaseHoldAsync();
                }

                previous = Replace();
            }
        }
        finally
        {
            if (previous is not null)
            {
                await previous.ReleaseHoldAsync();
            }
        }
    }

    /// <summary>Brings the body in whole, from as many Stratum 1s as it takes.</summary>
    private async Task<FillResult> FillAsync(GrowingObject body, CandidateCursor cursor, GrowingObject? previous)
    {
        _authors.Clear();
        while (true)
        {
            using UpstreamResponse? response = await _services.Client.OpenAsync(HttpMethod.Get, Order.UrlPath, body.Appended, cursor, _cancel.Token);
            if (response is null)
            {
                return FillResult.Failed;
            }

            Upstream = response.Upstream.Authority;
            if (response.TotalLength is { } total)
            {
                if ((body.Length is { } known && known != total) || response.IsPastEnd)
                {
                    _services.Client.Note(cursor, response.Upstream, FailureKind.BadHead, $"says {total} bytes where another sent or promised more or less");
                    _authors.Add(response.Upstream);
                    cursor.RequeueFirst(response.Upstream);
                    return FillResult.Disagreed;
                }

                body.DeclareLength(total);
            }

            _authors.Add(response.Upstream);
            _services.Counters.UpstreamObjectRequests.Add(1);
            (FailureKind Kind, string What)? broken = await CopyAsync(body, response, previous, cursor.HasNext || cursor.MayRequeue(response.Upstream));
            if (broken is null)
            {
                if (_authors.Count > 1)
                {
                    // Should the digest not match, whoever finished answers for a whole body next: another broke off, and may lie as well.
                    cursor.RequeueFirst(response.Upstream);
                }

                return FillResult.Whole;
            }

            _services.Client.Note(cursor, response.Upstream, broken.Value.Kind, broken.Value.What);
            cursor.Requeue(response.Upstream);
        }
    }

    /// <summary>Copies one answer's body. Null: it came to its end. Else how it broke.</summary>
    private async Task<(FailureKind Kind, string What)?> CopyAsync(GrowingObject body, UpstreamResponse response, GrowingObject? previous, bool mayMoveOn)
    {
        using CancellationTokenSource transfer = CancellationTokenSource.CreateLinkedTokenSource(_cancel.Token);
        ProgressWatch watch = ProgressWatch.For(mayMoveOn, _services.Options, _services.Time.GetElapsedTime(_begun));
        lock (_gate)
        {
            _watch = watch;
            _transfer = transfer;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(ReadBufferBytes);
        try
        {
            long skip = body.Appended - response.Offset;
            await using Stream stream = await response.Message.Content.ReadAsStreamAsync(transfer.Token);
            while (true)
            {
                int read = await stream.ReadAsync(buffer, transfer.Token);
                lock (_gate)
                {
                    watch.Moved(read, _services.Time.GetElapsedTime(_begun));

                    // What a busy thread pool, the store and slow followers take is not the Stratum 1's time.
                    watch.Pause(_services.Time.GetElapsedTime(_begun));
                }

                await ThreadHop.ToPool();
                if (read == 0)
                {
                    return body.Length is { } length && body.Appended < length ? (FailureKind.Broken, "ended before the body was whole") : null;
                }

                _services.Counters.AddUpstreamBytes(read);
                int skipped = (int)Math.Min(skip, read);
                skip -= skipped;

                // Never beyond the length that followers were told: what is held back is the end of that many bytes. The digest judges.
                long limit = body.Length ?? _services.Settings.Store.MaxObjectBytes;
                int taken = (int)Math.Min(read - skipped, limit - body.Appended);
                if (taken > 0)
                {
                    await AppendAsync(body, buffer.AsMemory(skipped, taken), previous);
                }

                lock (_gate)
                {
                    watch.Resume(_services.Time.GetElapsedTime(_begun));
                }

                if (taken < read - skipped)
                {
                    return null;
                }
            }
        }
        catch (OperationCanceledException) when (!_cancel.IsCancellationRequested)
        {
            return (FailureKind.Timeout, "stalled or was too slow");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return (FailureKind.Broken, $"broke off: {e.Message}");
        }
        finally
        {
            lock (_gate)
            {
                _watch = null;
                _transfer = null;
            }

            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask AppendAsync(GrowingObject body, ReadOnlyMemory<byte> bytes, GrowingObject? previous)
    {
        if (previous is { Released: > 0 })
        {
            await CompareAsync(body.Appended, bytes, previous);
        }

        await body.AppendAsync(bytes, _cancel.Token);
        ReleaseByPolicy(body, ReleasePolicy.StepBytes);

        // The last client may have left when it was not known how much is missing.
        GiveUpIfUnwanted();
    }

    /// <summary>Compares new bytes with those of the body before, as far as these went out.</summary>
    private async ValueTask CompareAsync(long offset, ReadOnlyMemory<byte> bytes, GrowingObject previous)
    {
        byte[] old = ArrayPool<byte>.Shared.Rent(ReadBufferBytes);
        try
        {
            while (_agreed == offset && bytes.Length > 0 && offset < previous.Released)
            {
                int read = await previous.ReadAsync(offset, old.AsMemory(0, Math.Min(old.Length, bytes.Length)), _cancel.Token);
                if (read == 0)
                {
                    return;
                }

                int common = bytes.Span[..read].CommonPrefixLength(old.AsSpan(0, read));
                Volatile.Write(ref _agreed, _agreed + common);
                offset += read;
                bytes = bytes[read..];
            }
        }
        catch (IOException)
        {
            // The body before has left memory: what is not compared does not agree, and whoever has read it is cut.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(old);
        }
    }

    /// <summary>The body is wrong: who is to blame, and may still be asked?</summary>
    private void NoteWrong(CandidateCursor cursor, FillResult filled)
    {
        foreach (Stratum1 author in _authors)
        {
            if (filled == FillResult.Whole)
            {
                _services.Client.Note(cursor, author, FailureKind.WrongBytes, $"sent bytes that are not {Order.Key}");
                _services.Counters.WrongBodies.Add(1);
                LogWrongBytes(_services.Log, Order.Key, author.Authority, Order.UrlPath);
            }

            if (_authors.Count > 1)
            {
                cursor.Requeue(author);
            }
        }
    }

    /// <summary>Starts an empty body in place of a wrong one, which is returned with its hold.</summary>
    private GrowingObject Replace()
    {
        GrowingObject old = _body;
        Volatile.Write(ref _agreedBefore, old.Released == 0 ? long.MaxValue : AgreedBytes);
        lock (_gate)
        {
            Volatile.Write(ref _agreed, 0);
            _body = NewBody();
            _wasReplaced = true;
        }

        old.Break();
        return old;
    }

    private GrowingObject NewBody() => new(_services.Store.BeginWrite(Order.Key, null), _services.Overflow, _services.Time);

    private void ReleaseByPolicy(GrowingObject body, int stepBytes)
    {
        long released = ReleasePolicy.Released(body.Appended, body.Length, _services.Time.GetElapsedTime(_begun), Volatile.Read(ref _followers));
        body.Release(released - (released % stepBytes));
    }

    private void Fail(UpstreamFailure failure)
    {
        _failure = failure;
        _body.Break();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Key} was fetched but not stored: {Result}")]
    private static partial void LogNotStored(ILogger log, ObjectKey key, CommitResult result);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Wrong bytes for {Key} from {Upstream}{Path}: not delivered, asking another Stratum 1")]
    private static partial void LogWrongBytes(ILogger log, ObjectKey key, string upstream, string path);

    [LoggerMessage(Level = LogLevel.Error, Message = "Fetching {Key} failed")]
    private static partial void LogBug(ILogger log, Exception exception, ObjectKey key);

    private enum FillResult : byte
    {
        Whole,
        Failed,
        Disagreed,
    }
}
