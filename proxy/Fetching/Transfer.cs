using System.Buffers;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Threading;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// One Stratum 1's answer on its way into a body, and the watch over it. It ends early when it is stalled or too slow, or in the way of
/// somebody who would ask another cluster.
/// </summary>
/// <param name="services">What every fetch works with.</param>
/// <param name="ways">Who else may be asked.</param>
/// <param name="way">The way that it came.</param>
/// <param name="body">What it goes into.</param>
/// <param name="turn">How urgent it is, where the way upstream is limited.</param>
/// <param name="append">Appends to the body.</param>
/// <param name="glance">After what time its pace is judged.</param>
internal sealed class Transfer(FetchServices services, FetchWays ways, FetchWay way, GrowingObject body,
    Func<PaceTurn> turn, Func<ReadOnlyMemory<byte>, ValueTask> append, TimeSpan glance)
{
    private const int ReadBufferBytes = 128 << 10;

    private static readonly TimeSpan s_glance = TimeSpan.FromSeconds(1);

    private readonly long _start = body.Appended;
    private readonly Lock _gate = new();
    private readonly PacedBody _pace = services.Bodies.BeginPace(turn);
    private readonly long _begun = services.Time.GetTimestamp();
    private CancellationTokenSource? _cancel;   // guarded by _gate: while it runs
    private ProgressWatch? _watch;              // guarded by _gate: the same
    private bool _isInTheWay;                   // guarded by _gate
    private bool _isTardy;                      // guarded by _gate
    private bool _isNode;                       // guarded by _gate: another node sends

    /// <summary>Its pace so far; what our own limit takes is not the Stratum 1's time.</summary>
    public double BytesPerSecond => (body.Appended - _start) / Math.Max(0.001, (Elapsed() - _pace.Waited).TotalSeconds);

    /// <summary>Copies the answer's body.</summary>
    /// <exception cref="OperationCanceledException">The whole fetch was given up.</exception>
    public async Task<TransferEnd> RunAsync(UpstreamResponse response, CancellationToken cancellationToken)
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        lock (_gate)
        {
            _watch = response.Upstream.IsNode
                ? ProgressWatch.ForNode(Elapsed())
                : ProgressWatch.For(ways.HasPrompt || way.Cursor!.MayRequeue(response.Upstream), services.Options, Elapsed());
            _isNode = response.Upstream.IsNode;
            _cancel = cancel;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(ReadBufferBytes);
        try
        {
            return await CopyAsync(response, buffer, cancel.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            lock (_gate)
            {
                return _isInTheWay || _isTardy
                    ? new TransferEnd(false, IsTardy: _isTardy)
                    : new TransferEnd(false, FailureKind.Timeout, "stalled or was too slow");
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new TransferEnd(false, FailureKind.Broken, $"broke off: {e.Message}");
        }
        finally
        {
            lock (_gate)
            {
                _watch = null;
                _cancel = null;
            }

            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Called a few times a second: is it time to ask somebody else?</summary>
    public void Tick()
    {
        CancellationTokenSource? cancel = null;
        lock (_gate)
        {
            if (_watch is not { } watch)
            {
                return;
            }

            if (ways.HasPrompt && !_isNode)
            {
                // He may have come after this began.
                watch.Hurry(services.Options);
            }

            _isInTheWay = body.Released == 0 && body.State == GrowthState.Growing && ways.IsAnotherClusterDue(way);
            bool isTooSlow = watch.IsTooSlow(Elapsed());
            _isTardy = !_isInTheWay && !isTooSlow && ways.HasPrompt && (_isNode || ways.MayHurry) && WouldBeLate();
            if (_isInTheWay || _isTardy || isTooSlow)
            {
                cancel = _cancel;
                _watch = null;
            }
        }

        try
        {
            cancel?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The transfer ended just now.
        }
    }

    /// <summary>After what time it can be told at what pace it comes: later where answers have more time than the default.</summary>
    /// <param name="answerTimeout">The time that an answer has.</param>
    /// <param name="isHeld">
    /// Is it of a node that is asked for what it holds? Another node may wait for the end, and is to find this one quick enough.
    /// </param>
    public static TimeSpan GlanceFor(TimeSpan answerTimeout, bool isHeld)
    {
        TimeSpan glance = answerTimeout / 15 > s_glance ? answerTimeout / 15 : s_glance;
        return isHeld ? glance * 0.4 : glance;
    }

    /// <summary>
    /// When those who wait must have an answer, would there be none: neither the whole object nor a piece of it that may go out?
    /// </summary>
    private bool WouldBeLate()
    {
        if (body.Released > 0 || Elapsed() - _pace.Waited < glance)
        {
            return false;
        }

        double left = Math.Max(0, (services.Options.AnswerTimeout - ways.Waited).TotalSeconds);
        return body.Appended + (BytesPerSecond * left) < Math.Min(body.Length ?? long.MaxValue, ReleasePolicy.HeldBackBytes + 1);
    }

    private TimeSpan Elapsed() => services.Time.GetElapsedTime(_begun);

    private async Task<TransferEnd> CopyAsync(UpstreamResponse response, byte[] buffer, CancellationToken cancellationToken)
    {
        long skip = body.Appended - response.Offset;
        await using Stream stream = await response.Message.Content.ReadAsStreamAsync(cancellationToken);
        while (true)
        {
            bool isLimited = !response.Upstream.IsNode;
            int read = await stream.ReadAsync(isLimited ? buffer.AsMemory(0, _pace.Piece(buffer.Length)) : buffer, cancellationToken);
            lock (_gate)
            {
                _watch?.Moved(read, Elapsed());

                // What a busy thread pool, the store and slow followers take is not the Stratum 1's time.
                _watch?.Pause(Elapsed());
            }

            await ThreadHop.ToPool();
            if (read == 0)
            {
                return body.Length is { } length && body.Appended < length
                    ? new TransferEnd(false, FailureKind.Broken, "ended before the body was whole") : new TransferEnd(true);
            }

            if (isLimited)
            {
                services.Counters.AddUpstreamBytes(read);
                await _pace.PayAsync(read, cancellationToken);
            }

            int skipped = (int)Math.Min(skip, read);
            skip -= skipped;

            // Never beyond the length that followers were told: what is held back is the end of that many bytes. The digest judges.
            // Without a length nothing else ends the body, and its bytes go out meanwhile: longer than any object is wrong.
            long limit = body.Length ?? services.Bodies.MaxObjectBytes;
            int taken = (int)Math.Min(read - skipped, limit - body.Appended);
            if (taken > 0)
            {
                await append(buffer.AsMemory(skipped, taken));
            }

            lock (_gate)
            {
                _watch?.Resume(Elapsed());
            }

            if (taken < read - skipped)
            {
                return new TransferEnd(true);
            }
        }
    }
}
