using System.Buffers;
using System.Threading.Channels;
using Breakwater.CacheStore;
using Breakwater.Proxy.Seeding.Format;

namespace Breakwater.Proxy.Seeding.Import;

/// <summary>
/// Checks and stores objects while the bundle is read on: the reader hands each object's bytes to one of a few workers, which hash and
/// write. Memory is bounded by the workers' queues and by what they have in commits under way. Begin, append and end are called by one
/// reader.
/// </summary>
internal sealed class ObjectIntake : IAsyncDisposable
{
    private const int QueueChunks = 24;
    private const int MaxPendingCommits = 4096;

    /// <summary>The store's own back-pressure begins below this and hurries its commit: this is only a bound.</summary>
    private const long MaxPendingBytes = 32 << 20;

    /// <summary>
    /// Large buffers that the pool does not take back are collected with the oldest generation only, which a small heap rarely asks for:
    /// without a nudge an import of 1,500 MB had 306 MB of anonymous memory.
    /// </summary>
    private const long CollectEveryBytes = 64 << 20;

    private readonly IObjectSink _sink;
    private readonly Channel<Chunk>[] _queues;
    private readonly Task[] _workers;
    private readonly Lock _gate = new();
    private readonly List<ObjectKey> _added = []; // guarded by _gate
    private Exception? _failure;                  // guarded by _gate: that of the lowest offset
    private long _failureOffset = long.MaxValue;  // guarded by _gate
    private volatile bool _hasFailed;
    private Job? _current;
    private long _begun;
    private long _sinceCollection;

    public ObjectIntake(IObjectSink sink, CancellationToken cancellationToken)
    {
        _sink = sink;
        int workers = Math.Clamp(Environment.ProcessorCount, 1, 4);
        _queues = [.. Enumerable.Range(0, workers)
            .Select(_ =>
            Channel.CreateBounded<Chunk>(new BoundedChannelOptions(QueueChunks) { SingleReader = true, SingleWriter = true }))];
        _workers = [.. _queues.Select(queue => Task.Run(() => WorkAsync(queue.Reader, cancellationToken), CancellationToken.None))];
    }

    /// <summary>Objects that were not in the store before and are now.</summary>
    public IReadOnlyList<ObjectKey> Added
    {
        get
        {
            lock (_gate)
            {
                return [.. _added];
            }
        }
    }

    /// <summary>The first object that does not have its digest; null: none so far.</summary>
    public SeedRefusedException? Refusal
    {
        get
        {
            lock (_gate)
            {
                return _failure as SeedRefusedException;
            }
        }
    }

    /// <summary>An object begins.</summary>
    public ValueTask BeginAsync(in ObjectKey key, string name, long length, long offset)
    {
        ThrowIfFailed();
        _current = new Job(key, name, length, offset);
        return default;
    }

    /// <summary>Its next bytes; they are copied.</summary>
    public ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        ThrowIfFailed();
        byte[] copy = ArrayPool<byte>.Shared.Rent(bytes.Length);
        bytes.CopyTo(copy);
        return Queue().WriteAsync(new Chunk(_current!, copy, bytes.Length), cancellationToken);
    }

    /// <summary>It has all its bytes.</summary>
    public ValueTask EndAsync(CancellationToken cancellationToken)
    {
        ValueTask written = Queue().WriteAsync(new Chunk(_current!, null, 0), cancellationToken);
        _begun++;
        _sinceCollection += _current!.Length;
        if (_sinceCollection > CollectEveryBytes)
        {
            _sinceCollection = 0;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        }

        return written;
    }

    /// <summary>Waits until all are durable.</summary>
    /// <exception cref="SeedRefusedException">An object does not have its digest; the first one.</exception>
    /// <exception cref="SeedStoreException">The store could not take one.</exception>
    public async Task CompleteAsync()
    {
        foreach (Channel<Chunk> queue in _queues)
        {
            queue.Writer.TryComplete();
        }

        await Task.WhenAll(_workers);
        ThrowIfFailed();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (Channel<Chunk> queue in _queues)
        {
            queue.Writer.TryComplete();
        }

        await Task.WhenAll(_workers);
    }

    private ChannelWriter<Chunk> Queue() => _queues[_begun % _queues.Length].Writer;

    private void ThrowIfFailed()
    {
        if (_hasFailed)
        {
            lock (_gate)
            {
                throw _failure!;
            }
        }
    }

    private void Fail(long offset, Exception failure)
    {
        lock (_gate)
        {
            if (offset < _failureOffset)
            {
                _failureOffset = offset;
                _failure = failure;
            }
        }

        _hasFailed = true;
    }

    private async Task WorkAsync(ChannelReader<Chunk> queue, CancellationToken cancellationToken)
    {
        var pending = new Queue<(Job Job, ObjectTaker Taker, Task<CommitResult> Commit)>();
        long pendingBytes = 0;
        ObjectTaker? taker = null;

        async Task SettleAsync()
        {
            (Job job, ObjectTaker done, Task<CommitResult> commit) = pending.Dequeue();
            pendingBytes -= job.Length;
            await using (done)
            {
                Settle(job, await _sink.WaitAsync(commit, cancellationToken));
            }
        }

        try
        {
            await foreach (Chunk chunk in queue.ReadAllAsync(CancellationToken.None))
            {
                if (_hasFailed || cancellationToken.IsCancellationRequested)
                {
                    Return(chunk);
                    continue;
                }

                taker ??= _sink.Begin(chunk.Job.Key, chunk.Job.Length);
                if (chunk.Buffer is not null)
                {
                    await AppendAsync(taker, chunk, cancellationToken);
                    continue;
                }

                if (!taker.Verify())
                {
                    Fail(chunk.Job.Offset,
                        new SeedRefusedException(chunk.Job.Name, chunk.Job.Offset,
                        $"its {chunk.Job.Length} bytes do not hash to its name"));
                    continue;
                }

                pending.Enqueue((chunk.Job, taker, taker.CommitAsync()));
                taker = null;
                pendingBytes += chunk.Job.Length;
                while (pending.Count > 0
                    && (pending.Count > MaxPendingCommits || pendingBytes > MaxPendingBytes || pending.Peek().Commit.IsCompleted))
                {
                    await SettleAsync();
                }
            }

            while (pending.Count > 0)
            {
                await SettleAsync();
            }
        }
        catch (Exception e)
        {
            Fail(-1, e);
            await foreach (Chunk chunk in queue.ReadAllAsync(CancellationToken.None))
            {
                Return(chunk);
            }
        }
        finally
        {
            if (taker is not null)
            {
                await taker.DisposeAsync();
            }

            while (pending.TryDequeue(out (Job Job, ObjectTaker Taker, Task<CommitResult> Commit) left))
            {
                await left.Taker.DisposeAsync();
            }
        }
    }

    private async ValueTask AppendAsync(ObjectTaker taker, Chunk chunk, CancellationToken cancellationToken)
    {
        try
        {
            if (await taker.AppendAsync(chunk.Buffer.AsMemory(0, chunk.Count), cancellationToken) is { } refusal)
            {
                Settle(chunk.Job, refusal);
            }
        }
        finally
        {
            Return(chunk);
        }
    }

    private void Settle(Job job, CommitResult result)
    {
        switch (result)
        {
            case CommitResult.Committed:
                lock (_gate)
                {
                    _added.Add(job.Key);
                }

                break;
            case CommitResult.AlreadyPresent:
                break;
            default:
                string why = result switch
                {
                    CommitResult.StoreFull => "the store or its disk is full: make room on the disk or raise Store:QuotaBytes",
                    CommitResult.TooLarge => "it is longer than Store:MaxObjectBytes",
                    _ => "the store failed; its log says why",
                };
                Fail(job.Offset,
                    new SeedStoreException($"{job.Name} could not be stored: {why}. Then run the import again: it goes on where it was."));
                break;
        }
    }

    private static void Return(Chunk chunk)
    {
        if (chunk.Buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(chunk.Buffer);
        }
    }

    private sealed record Job(ObjectKey Key, string Name, long Length, long Offset);

    /// <summary>Bytes of an object; no buffer: its end.</summary>
    private readonly record struct Chunk(Job Job, byte[]? Buffer, int Count);
}
