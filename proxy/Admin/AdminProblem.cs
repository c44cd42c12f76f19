namespace Breakwater.Proxy.Admin;

/// <summary>The answer to a call that cannot be done: what is wrong, and what to do next.</summary>
/// <param name="Error">One sentence, for people.</param>
/// <param name="Next">What to do next; null when the sentence says it.</param>
internal sealed record AdminProblem(string Error, string? Next = null)
{
    /// <summary>As an endpoint's result.</summary>
    /// <param name="status">4xx for the caller's mistakes, 5xx for ours.</param>
    public IResult Result(int status = StatusCodes.Status400BadRequest) => Results.Json(this, statusCode: status);
}
