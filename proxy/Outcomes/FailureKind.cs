namespace Breakwater.Proxy.Outcomes;

/// <summary>How a Stratum 1 failed us: its side, by phase.</summary>
internal enum FailureKind : byte
{
    /// <summary>No TCP connection, or TLS failed.</summary>
    Connect,

    /// <summary>Its name could not be looked up.</summary>
    Lookup,

    /// <summary>The parent proxy in between failed or refused; the Stratum 1 is not to blame.</summary>
    Parent,

    /// <summary>Nothing came in time.</summary>
    Timeout,

    /// <summary>The connection broke or ended before the body was whole.</summary>
    Broken,

    /// <summary>A status that carries no object: 5xx, 3xx, and the 4xx that are no verdict on the request (407, 408, 429).</summary>
    Status,

    /// <summary>Another 4xx but 404: it answers, but not what the client asked for.</summary>
    Refused,

    /// <summary>404.</summary>
    NotFound,

    /// <summary>A head that makes no sense: content coding, wrong range, 204, another length than before.</summary>
    BadHead,

    /// <summary>The body does not hash to the object's name.</summary>
    WrongBytes,

    /// <summary>A signed document that is not to be trusted.</summary>
    Untrusted,

    /// <summary>No Stratum 1 is configured or left.</summary>
    NoUpstream,

    /// <summary>This proxy is offline by its settings: what it does not hold is not there.</summary>
    Offline,

    /// <summary>No failure: another fetch has just stored it.</summary>
    AlreadyStored,
}
