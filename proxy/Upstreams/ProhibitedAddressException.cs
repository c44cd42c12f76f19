namespace Breakwater.Proxy.Upstreams;

/// <summary>A name leads to an address that must not be connected to (<c>Access:AllowedUpstreams</c>). The message is for people.</summary>
internal sealed class ProhibitedAddressException(string message) : IOException(message);
