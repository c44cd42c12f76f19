namespace Breakwater.Proxy.EventLoops;

/// <summary>
/// Kestrel's side of one connection, as the loop sees it: it gets the requests that the first responder leaves alone. The loop owns the
/// socket and closes it, but not before <see cref="IsOver"/>.
/// </summary>
internal interface IBorrower
{
    /// <summary>Has Kestrel let go of the connection? Then nobody but the loop uses the socket.</summary>
    bool IsOver { get; }

    /// <summary>Was the connection torn down, not brought to its end?</summary>
    bool IsAborted { get; }

    /// <summary>Has Kestrel answered all that it was given, and wants more?</summary>
    bool IsWaiting { get; }

    /// <summary>Does Kestrel wait for the client to take what it was sent?</summary>
    bool WaitsForRoom { get; }

    /// <summary>Bytes that the socket has taken from Kestrel so far.</summary>
    long SentBytes { get; }

    /// <summary>A request follows, of which the loop knows this.</summary>
    void Announce(BegunRequest begun);

    /// <summary>Gives Kestrel bytes.</summary>
    void Give(ReadOnlySpan<byte> bytes);

    /// <summary>No more bytes come.</summary>
    void EndInput();

    /// <summary>The socket has room again.</summary>
    void HasRoom();

    /// <summary>The client is gone: what is under way for it is called off.</summary>
    void ClientLeft();

    /// <summary>
    /// The loop goes on alone, and may close the socket. Only while Kestrel waits for more: it finds the end of its input, and goes, having
    /// sent all that it had to.
    /// </summary>
    void Detach();

    /// <summary>The client is stuck: it gets a reset, and what is under way for it ends.</summary>
    void Cut();

    /// <summary>Ends the connection while nothing is under way.</summary>
    void Dismiss();
}
