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
    private ReadOnlyMemory<byte> _first;
    private int _judged; // 1: ended well, 2: broke off
    private (long Skip, long Left)? _part;
    private long? _narrowed;
    private long? _due;

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

    /// <summary>Is it ordinary HTTP, which gives way to CernVM-FS?</summary>
    public bool GivesWay { get; init; }

    /// <summary>Bytes of the body that were read with the head.</summary>
    public ReadOnlyMemory<byte> First
    {
        init => _first = value;
    }

    /// <summary>
    /// Is told how the body ended: null, when as its framing says; else how it broke off. Null: nobody wants to know.
    /// </summary>
    public Action<string?>? WhenEnded { get; init; }

    /// <summary>Bytes of its body as its head tells; null: it does not.</summary>
    public long? Length => _narrowed ?? message.Content.Headers.ContentLength;

    /// <summary>
    /// Does its framing tell where the body ends? False: it ends where the connection does, so that nothing tells a whole body from a cut
    /// one.
    /// </summary>
    public bool HasFramedBody => Length is not null || message.Headers.TransferEncodingChunked == true;

    /// <summary>Is called once when it is disposed.</summary>
    public void WhenDisposed(Action action) => _whenDisposed += action;

    /// <summary>It broke off, or is not what was promised: whoever asks next asks others first.</summary>
    public void NoteBroken(string why) => NoteEnd(why);

    /// <summary>So many bytes make its body, whatever its framing says; else it broke off. Null: not known.</summary>
    public void Promise(long? bytes) => _due = bytes;

    /// <summary>Lets only a part of the body be read, which is a 206 by now.</summary>
    /// <param name="part">The part.</param>
    /// <param name="skip">Bytes of the body before it.</param>
    public void Narrow(ContentRange part, long skip)
    {
        Fields.Set("Content-Range", part.ToString());
        _narrowed = part.Count;
        _part = (skip, part.Count);
    }

    /// <summary>Reads of the body. 0: it has ended as its framing says.</summary>
    /// <exception cref="IOException">It broke off, or nothing came for too long.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (_part is { Skip: > 0 } before)
        {
            byte[] passed = new byte[Math.Min(before.Skip, 64 << 10)];
            int skipped = await ReadBodyAsync(passed, cancellationToken);
            if (skipped == 0)
            {
                throw Broken("sent less than it promised", null);
            }

            _part = (before.Skip - skipped, before.Left);
        }

        if (_part is not { } part)
        {
            return await ReadBodyAsync(buffer, cancellationToken);
        }

        int wanted = (int)Math.Min(buffer.Length, part.Left);
        int read = wanted == 0 ? 0 : await ReadBodyAsync(buffer[..wanted], cancellationToken);
        if (read == 0 && wanted > 0)
        {
            throw Broken("sent less than it promised", null);
        }

        _part = (0, part.Left - read);
        return read;
    }

    private async ValueTask<int> ReadBodyAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (!_first.IsEmpty)
        {
            int count = Math.Min(buffer.Length, _first.Length);
            _first[..count].CopyTo(buffer);
            _first = _first[count..];
            return Counted(count);
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ended.Token);
        patience.CancelAfter(silence);
        int read;
        try
        {
            read = await body.ReadAsync(buffer, patience.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Broken($"sent nothing for {silence.TotalSeconds:0.#} s", null);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw Broken($"broke off: {e.Message}", e);
        }

        if (read == 0 && buffer.Length > 0)
        {
            NoteEnd(null);
        }

        return Counted(read, buffer.Length);
    }

    private int Counted(int read, int most = 1)
    {
        _due -= read;
        return _due < 0 ? throw Broken("sent more than it promised", null)
            : _due > 0 && read == 0 && most > 0 ? throw Broken("sent less than it promised", null) : read;
    }

    private IOException Broken(string what, Exception? cause)
    {
        NoteEnd(what);
        return new IOException($"{Upstream} {what}", cause);
    }

    private void NoteEnd(string? broken)
    {
        // What ended as its framing says may still be less than its head promised.
        bool isNews = broken is null ? Interlocked.CompareExchange(ref _judged, 1, 0) == 0 : Interlocked.Exchange(ref _judged, 2) != 2;
        if (isNews)
        {
            WhenEnded?.Invoke(broken);
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
