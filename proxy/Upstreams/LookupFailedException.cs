namespace Breakwater.Proxy.Upstreams;

/// <summary>
/// A host's name could not be made an address: the resolver's failure or the name's, not the host's. The message is for people.
/// </summary>
internal sealed class LookupFailedException(string message) : IOException(message)
{
    /// <summary>The resolver gave no answer in time; a later look-up may.</summary>
    public bool IsTimeout { get; init; }
}
