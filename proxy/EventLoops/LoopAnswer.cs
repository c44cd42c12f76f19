using System.Net.Sockets;

namespace Breakwater.Proxy.EventLoops;

/// <summary>An answer that did not go out at once. Its connection drives it to its end, on the loop's thread, one call at a time.</summary>
internal abstract class LoopAnswer
{
    /// <summary>Does it have to come to its end here? Before, the request can still be handed to Kestrel.</summary>
    public abstract bool HasBegun { get; }

    /// <summary>
    /// Is it one of thousands that go out together? Then it waits for its turn when its socket has room, and is not served at once.
    /// </summary>
    public abstract bool TakesTurns { get; }

    /// <summary>Sends what is there and what the socket takes; it does not block.</summary>
    /// <param name="socket">The client's.</param>
    /// <exception cref="SocketException">The client is gone: end the connection.</exception>
    /// <exception cref="IOException">The rest cannot be had: end the connection.</exception>
    public abstract AnswerProgress GoOn(int socket);

    /// <summary>Completes when a starved answer may go on.</summary>
    public abstract Task Change();

    /// <summary>Gives the request away before its answer has begun; in place of <see cref="End"/>.</summary>
    public abstract BegunRequest HandOver();

    /// <summary>Ends it, whatever is left, and lets go of all that it holds. Nothing is called afterwards.</summary>
    public abstract void End(AnswerEnd end);
}
