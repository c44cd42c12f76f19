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

    /// <summary>It says that the object ends before the offset that was asked for (416): there is no body.</summary>
    public bool IsPastEnd => message.StatusCode == System.Net.HttpStatusCode.RequestedRangeNotSatisfiable;

    /// <summary>What is left of the body behind <see cref="First"/>; null where nobody has begun to read it.</summary>
    public Stream? Body { get; init; }

    /// <summary>The first bytes of a body that is passed through; empty: the body is.</summary>
    public ReadOnlyMemory<byte> First { get; init; }

    public void Dispose() => message.Dispose();
}
