using Breakwater.Proxy.Caching;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Exchanges;

/// <summary>
/// An origin's answer whose body has yet to be read. Dispose to end the connection, or to give it back when the body was read to its end.
/// </summary>
/// <param name="message">The message.</param>
/// <param name="body">Its body.</param>
/// <param name="silence">Longest wait for a byte of the body.</param>
internal sealed class FetchedAnswer(HttpResponseMessage message, Stream body, TimeSpan silence) : IDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private Action? _whenDisposed;

    /// <summary>Status.</summary>
    public int Status => (int)message.StatusCode;

    /// <summary>Reason phrase.</summary>
    public string? Reason => message.ReasonPhrase;

    /// <summary>Its fields, with a Date; without those of the connection.</summary>
    public required HeaderFields Fields { get; init; }

    /// <summary>When it was asked for.</summary>
    public required DateTimeOffset RequestedAt { get; init; }

    /// <summary>When its head had come.</summary>
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>Host and port that sent it.</summary>
    public required string Upstream { get; init; }

    /// <summary>The site's node that it came from; null: it came from an origin.</summary>
    public Stratum1? Node { get; init; }

    /// <summary>Bytes of its body as its head tells; null: it does not.</summary>
    public long? Length => message.Content.Headers.ContentLength;

    /// <summary>
    /// Does its framing tell where the body ends? False: it ends where the connection does, so that nothing tells a whole body from a cut
    /// one.
    /// </summary>
    public bool HasFramedBody => Length is not null || message.Headers.TransferEncodingChunked == true;

    /// <summary>Is called once when it is disposed.</summary>
    public void WhenDisposed(Action action) => _whenDisposed += action;

    /// <summary>Reads of the body. 0: it has ended as its framing says.</summary>
    /// <exception cref="IOException">It broke off, or nothing came for too long.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ended.Token);
        patience.CancelAfter(silence);
        try
        {
            return await body.ReadAsync(buffer, patience.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"{Upstream} sent nothing for {silence.TotalSeconds:0} s");
        }
        catch (HttpRequestException e)
        {
            throw new IOException($"{Upstream} broke off: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        message.Dispose();
        _ended.Dispose();
        Interlocked.Exchange(ref _whenDisposed, null)?.Invoke();
    }
}
