namespace Breakwater.Laboratory.Net;

/// <summary>A socket of an <see cref="EventLoop"/>. All calls come on the loop's thread.</summary>
internal abstract class Endpoint
{
    /// <summary>The socket, or -1 when there is none.</summary>
    public int Fd { get; protected set; } = -1;

    /// <summary>Which registration this is, so that an event of a closed socket never reaches the next owner of its number.</summary>
    internal uint Generation { get; set; }

    /// <summary>Something happened: a mask of <c>EPOLL…</c> bits.</summary>
    public abstract void OnReady(uint events);
}
