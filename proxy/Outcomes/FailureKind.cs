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

/// <summary>Why a fetch ended without its object: what a client is told, and what the log says.</summary>
/// <param name="Kind">How the last Stratum 1 failed.</param>
/// <param name="Detail">For people: which Stratum 1 said what.</param>
internal sealed record UpstreamFailure(FailureKind Kind, string Detail)
{
    /// <summary>What an offline proxy says of anything that it does not hold.</summary>
    public static readonly UpstreamFailure NotHeldOffline = new(FailureKind.Offline, "this proxy is offline (Proxy:Offline) and does not hold it; import a seed bundle that has it");

    /// <summary>The status for the client: 404 only when every candidate said so.</summary>
    public int StatusCode => Kind switch
    {
        FailureKind.NotFound or FailureKind.Offline => StatusCodes.Status404NotFound,
        FailureKind.Timeout => StatusCodes.Status504GatewayTimeout,
        _ => StatusCodes.Status502BadGateway,
    };

    /// <summary>The error type for <c>Proxy-Status</c> (RFC 9209, 2.3).</summary>
    public string ProxyError => Kind switch
    {
        FailureKind.Connect => "connection_refused",
        FailureKind.Lookup => "dns_error",
        FailureKind.Timeout => "http_response_timeout",
        FailureKind.Broken => "http_response_incomplete",
        FailureKind.Parent or FailureKind.NoUpstream or FailureKind.Offline => "destination_unavailable",
        FailureKind.NotFound => "destination_not_found",
        _ => "http_protocol_error",
    };
}
