using System.Net;

namespace Breakwater.Proxy.Admin;

/// <summary>A call on the admin port failed: the message says why and what to do next.</summary>
internal sealed class AdminException(string message, HttpStatusCode? status = null, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The server's status; null when no server answered.</summary>
    public HttpStatusCode? Status { get; } = status;
}
