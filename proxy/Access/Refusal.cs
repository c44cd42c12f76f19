namespace Breakwater.Proxy.Access;

/// <summary>
/// Why a client gets no answer to its request. The texts that clients read stand here, once for all ways that a request may take.
/// </summary>
/// <param name="Status">The status of the answer.</param>
/// <param name="Text">What happened and which setting decides about it.</param>
/// <param name="Field">The name of a field that belongs into the answer; null: none does.</param>
/// <param name="Value">The value of that field.</param>
/// <param name="IsLast">Is the connection closed after it?</param>
internal sealed record Refusal(int Status, string Text, string? Field = null, string? Value = null, bool IsLast = false)
{
    /// <summary>The client's address is in none of the networks that may use the proxy.</summary>
    public static readonly Refusal Address = new(StatusCodes.Status403Forbidden, "Your address is not in Access:Clients of this proxy.",
        IsLast: true);

    /// <summary>The client must say who it is, and did not, or not rightly.</summary>
    public static readonly Refusal User = new(
        StatusCodes.Status407ProxyAuthenticationRequired,
        "This proxy wants a user name and a password (Access:Users).",
        "Proxy-Authenticate",
        "Basic realm=\"CernVM-FS\", charset=\"UTF-8\"");

    /// <summary>The client asks so fast that its request would wait too long for its turn.</summary>
    public static readonly Refusal TooFast = new(
        StatusCodes.Status429TooManyRequests,
        "Your address asks faster than Access:MaxRequestsPerSecondPerClient of this proxy.",
        "Retry-After",
        "2");
}
