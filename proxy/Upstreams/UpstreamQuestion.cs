using System.Net;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Upstreams;

/// <summary>What is asked of Stratum 1s one after the other, and which head is a good answer to it.</summary>
/// <param name="method">GET or HEAD.</param>
/// <param name="path">Path from a Stratum 1's root: <c>/cvmfs/…</c>.</param>
internal abstract class UpstreamQuestion(HttpMethod method, string path)
{
    /// <summary>Of what a proxy says; it may pass on what others have said.</summary>
    private const int MaxReasonChars = 300;

    public HttpMethod Method => method;

    public string Path => path;

    /// <summary>
    /// Does the body go to one client, at that client's pace? Then it has a connection apart from those of the objects, and an answer
    /// begins with the first byte of its body: nothing else heals a body that never comes.
    /// </summary>
    public virtual bool IsPassedThrough => false;

    /// <summary>Adds what the request needs beside its URL.</summary>
    public virtual void Prepare(HttpRequestMessage request, Stratum1 upstream)
    {
    }

    /// <summary>What is wrong with this head? Null: nothing.</summary>
    /// <param name="message">The answer.</param>
    /// <param name="start">Where in the file the body begins, bytes.</param>
    /// <param name="total">Length of the whole file; null when it is not told.</param>
    public abstract (FailureKind Kind, string What)? Judge(HttpResponseMessage message, out long start, out long? total);

    /// <summary>
    /// Is this what a working server says to a request that it does not like? 407 is a proxy's on the way, 408 and 429 say that it does not
    /// keep up.
    /// </summary>
    public static bool IsRefusal(HttpStatusCode status) => (int)status is >= 400 and < 500 and not (407 or 408 or 429);

    /// <summary>What a status that is no good answer counts as, with what a proxy on the way says of it (RFC 9209).</summary>
    protected static (FailureKind Kind, string What) ToFault(HttpResponseMessage message) => (
        IsRefusal(message.StatusCode) ? FailureKind.Refused : FailureKind.Status,
        $"answered {(int)message.StatusCode}{ReasonOf(message)}");

    private static string ReasonOf(HttpResponseMessage message)
    {
        if (!message.Headers.TryGetValues("Proxy-Status", out IEnumerable<string>? status))
        {
            return "";
        }

        string said = new([.. string.Join(", ", status).Where(c => c is >= ' ' and < (char)127).Take(MaxReasonChars)]);
        return said.Length == 0 ? "" : $" ({said})";
    }

    /// <summary>A content coding that nobody asked for would be other bytes than the file's.</summary>
    protected static bool IsCoded(HttpResponseMessage message) =>
        message.Content.Headers.ContentEncoding.Any(e => !e.Equals("identity", StringComparison.OrdinalIgnoreCase));
}
