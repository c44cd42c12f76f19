namespace Breakwater.Proxy.Upstreams;

/// <summary>A good head from a Stratum 1, and the body that follows. Dispose to give the connection back.</summary>
internal sealed class UpstreamResponse(Stratum1 upstream, HttpResponseMessage message, long offset, long? totalLength) : IDisposable
{
    public Stratum1 Upstream => upstream;

    public HttpResponseMessage Message => message;

    /// <summary>Where in the object the body begins, bytes.</summary>
    public long Offset => offset;

    /// <summary>Length of the whole object as this Stratum 1 tells; null when it does not.</summary>
    public long? TotalLength => totalLength;

    /// <summary>
    /// An object is asked for from an offset on, and this is no answer to that: the object ends before it (416), or another range came. The
    /// Stratum 1 may be asked for the whole object.
    /// </summary>
    public bool IsNoContinuation =>
        offset == 0 && message.StatusCode is System.Net.HttpStatusCode.PartialContent
        or System.Net.HttpStatusCode.RequestedRangeNotSatisfiable;

    /// <summary>What is left of the body behind <see cref="First"/>; null where nobody has begun to read it.</summary>
    public Stream? Body { get; init; }

    /// <summary>The first bytes of a body that is passed through; empty: the body is.</summary>
    public ReadOnlyMemory<byte> First { get; init; }

    public void Dispose() => message.Dispose();
}
