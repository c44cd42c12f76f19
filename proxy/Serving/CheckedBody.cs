using System.Buffers;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Serving;

/// <summary>
/// The body of an object that is not stored: in memory until its digest has matched, within the budget of all unstored bodies. Dispose to
/// give the memory back. Not thread-safe.
/// </summary>
internal sealed class CheckedBody(OverflowBudget budget, UpstreamPace pace, ProxyCounters counters) : IDisposable
{
    /// <summary>No chunk of CernVM-FS is longer.</summary>
    private const long MaxBytes = 64L << 20;

    private readonly MemoryStream _body = new();

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Bytes => _body.GetBuffer().AsMemory(0, (int)_body.Length);

    /// <summary>Was there too little memory for it at the moment?</summary>
    public bool IsOutOfMemory { get; private set; }

    /// <summary>Reads a whole body. Null: it is the object; else what was wrong.</summary>
    /// <param name="response">An answer of a Stratum 1.</param>
    /// <param name="expected">The object.</param>
    /// <param name="patience">For the next bytes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task<(FailureKind Kind, string What)?> ReadAsync(UpstreamResponse response, ObjectKey expected, TimeSpan patience,
        CancellationToken cancellationToken)
    {
        _body.SetLength(0);
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using ObjectHasher hasher = ObjectHasher.Create(expected.Algorithm);
        PacedBody paced = pace.Begin(static () => PaceTurn.First);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            ReadOnlyMemory<byte> piece = response.First;
            while (!piece.IsEmpty)
            {
                if (_body.Length + piece.Length > MaxBytes)
                {
                    return (FailureKind.WrongBytes, "sent more than an object has");
                }

                if (!TryGrow(piece.Length))
                {
                    IsOutOfMemory = true;
                    return (FailureKind.NoUpstream,
                        "could not be taken in: no memory for unstored bodies is left (Proxy:MaxUnstoredBytes)");
                }

                hasher.Append(piece.Span);
                _body.Write(piece.Span);
                counters.AddUpstreamBytes(piece.Length);
                await paced.PayAsync(piece.Length, cancellationToken);
                silence.CancelAfter(patience);
                Memory<byte> room = buffer.AsMemory(0, paced.Piece(buffer.Length));
                piece = room[..await response.Body!.ReadAsync(room, silence.Token)];
                silence.CancelAfter(Timeout.Infinite);
            }

            return hasher.FinishMatches(expected) ? null : (FailureKind.WrongBytes, $"sent bytes that are not {expected}");
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            // All bytes may be here and right, yet the answer was not.
            return (FailureKind.Broken, $"broke off: {e.Message}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (FailureKind.Timeout, "sent nothing for too long");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        budget.GiveBack(_body.Capacity);
        _body.Dispose();
    }

    private bool TryGrow(int bytes)
    {
        if (_body.Length + bytes <= _body.Capacity)
        {
            return true;
        }

        int more = Math.Max(_body.Capacity, Math.Max(bytes, 64 << 10));
        if (!budget.TryTake(more))
        {
            return false;
        }

        _body.Capacity += more;
        return true;
    }
}
