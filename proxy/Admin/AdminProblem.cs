using System.Text.Json.Serialization;

namespace Breakwater.Proxy.Admin;

/// <summary>The answer to a call that cannot be done, as problem details (RFC 9457): what is wrong, and what to do next.</summary>
/// <param name="Error">One sentence, for people.</param>
/// <param name="Next">What to do next; null when the sentence says it.</param>
internal sealed record AdminProblem(string Error, string? Next = null)
{
    private const string MediaType = "application/problem+json";

    /// <summary>The status, as the head has it.</summary>
    public int? Status { get; init; }

    /// <summary>The status in words.</summary>
    public string? Title { get; init; }

    /// <summary>The member of the RFC for <see cref="Error"/> and <see cref="Next"/>.</summary>
    [JsonInclude]
    public string Detail => $"{Error} {Next}".TrimEnd();

    /// <summary>As an endpoint's result.</summary>
    /// <param name="status">4xx for the caller's mistakes, 5xx for ours.</param>
    public IResult Result(int status = StatusCodes.Status400BadRequest) => Results.Json(
        this with { Status = status, Title = Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status) },
        AdminServer.Json,
        MediaType,
        status);
}
