using System.Net;

namespace Breakwater.Proxy.EventLoops;

/// <summary>
/// The door between the event loops and whoever answers on them. It sees every plain request first and answers it, begins an answer, or
/// leaves it to Kestrel. Called on many loops' threads: thread-safe, and it never waits for a disk, a lock or another server.
/// </summary>
internal interface IFirstResponder
{
    /// <summary>Does it answer clients of this address at all? The connections of all others are Kestrel's from the beginning.</summary>
    bool Serves(IPAddress client);

    /// <summary>All that a client gets whose request's head did not become whole in time.</summary>
    byte[] RefuseLateHead(IPAddress client);

    /// <summary>
    /// All that a connection gets whose beginning is not as the PROXY protocol wants it: with a header or, where it is not wanted, without.
    /// </summary>
    byte[] RefuseProxyHeader(IPAddress sender, bool isWanted);

    /// <summary>Looks at one request.</summary>
    /// <param name="head">The request; valid during the call.</param>
    /// <param name="connection">Where it came from. Its socket takes what is sent at once, and does not block.</param>
    /// <param name="answer">The answer under way, of <see cref="FirstAnswer.Answering"/> alone; the connection ends it.</param>
    FirstAnswer Respond(in RequestHead head, LoopConnection connection, out LoopAnswer? answer);
}
