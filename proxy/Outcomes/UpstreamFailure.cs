namespace Breakwater.Proxy.Outcomes;

/// <summary>Why a fetch ended without its object: what a client is told, and what the log says.</summary>
/// <param name="Kind">How the last Stratum 1 failed.</param>
/// <param name="Detail">For people: which Stratum 1 said what.</param>
internal sealed record UpstreamFailure(FailureKind Kind, string Detail)
{
    /// <summary>What an offline proxy says of anything that it does not hold.</summary>
    public static readonly UpstreamFailure NotHeldOffline =
        new(FailureKind.Offline, "this proxy is offline (Proxy:Offline) and does not hold it; import a seed bundle that has it");

    /// <summary>What is said of an object that a repository published here does not have.</summary>
    public static readonly UpstreamFailure NotPublished =
        new(FailureKind.Offline, "the repository is published on this machine (Repositories:<name>:Published) and does not have it");

    /// <summary>The status for the client: 404 only when every candidate said so.</summary>
    public int StatusCode => Kind switch
    {
        FailureKind.NotFound or FailureKind.Offline => StatusCodes.Status404NotFound,
        FailureKind.Timeout => StatusCodes.Status504GatewayTimeout,
        _ => StatusCodes.Status502BadGateway,
    };

    /// <summary>The registered word for it, where more is known than its kind.</summary>
    public string? Word { get; init; }

    /// <summary>The error type for <c>Proxy-Status</c> (RFC 9209, 2.3).</summary>
    public string ProxyError => Word ?? Kind switch
    {
        FailureKind.Connect => "destination_unavailable",
        FailureKind.Lookup => "dns_error",
        FailureKind.Timeout => "http_response_timeout",
        FailureKind.Broken => "http_response_incomplete",
        FailureKind.Parent or FailureKind.NoUpstream or FailureKind.Offline or FailureKind.Status => "destination_unavailable",
        FailureKind.NotFound or FailureKind.Refused => "http_request_error",
        _ => "http_protocol_error",
    };
}
