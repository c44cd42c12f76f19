using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Breakwater.Proxy.EventLoops;

namespace Breakwater.Proxy.Tests.EventLoops;

/// <summary>
/// A first responder that leaves <c>/kestrel…</c> to Kestrel and answers all else, at once or as <see cref="Begin"/> says.
/// </summary>
internal sealed class ScriptedResponder : IFirstResponder
{
    public const string LateHead = "HTTP/1.1 408 Late\r\n\r\n";

    /// <summary>The targets of all requests, in the order in which they were shown.</summary>
    public ConcurrentQueue<string> Seen { get; } = new();

    /// <summary>Does it answer a client?</summary>
    public Predicate<IPAddress> Allows { get; set; } = _ => true;

    /// <summary>The answer of a request that does not go out at once; null: it does.</summary>
    public Func<string, LoopConnection, LoopAnswer?> Begin { get; set; } = (_, _) => null;

    public bool Serves(IPAddress client) => Allows(client);

    public byte[] RefuseLateHead(IPAddress client) => Encoding.ASCII.GetBytes(LateHead);

    public byte[] RefuseProxyHeader(IPAddress sender, bool isWanted) =>
        Encoding.ASCII.GetBytes($"HTTP/1.1 400 {(isWanted ? "Missing" : "Unwanted")}\r\n\r\n");

    public FirstAnswer Respond(in RequestHead head, LoopConnection connection, out LoopAnswer? answer)
    {
        string target = Encoding.ASCII.GetString(head.Target);
        Seen.Enqueue(target);
        answer = null;
        if (target.StartsWith("/kestrel", StringComparison.Ordinal))
        {
            return FirstAnswer.ForKestrel;
        }

        answer = Begin(target, connection);
        if (answer is null)
        {
            ScriptedAnswer.Send(connection.Descriptor, LoopsUnderTest.Answer(target));
        }

        return answer is null ? FirstAnswer.Sent : FirstAnswer.Answering;
    }
}
