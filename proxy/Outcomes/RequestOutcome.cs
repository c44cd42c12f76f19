using Breakwater.Repositories;

namespace Breakwater.Proxy.Outcomes;

/// <summary>How one request ended: metrics, log and <c>Cache-Status</c> are read off it.</summary>
internal sealed class RequestOutcome
{
    public RequestResult Result { get; set; } = RequestResult.Refused;

    /// <summary>Host and port of the Stratum 1 that was asked for it, if any.</summary>
    public string? Upstream { get; set; }

    /// <summary>Body bytes handed to the connection.</summary>
    public long BytesSent { get; set; }

    /// <summary><see cref="TimeProvider.GetTimestamp"/> when the answer's head was ready; 0 before.</summary>
    public long AnsweredAt { get; set; }

    /// <summary>The answer's head is ready when the response starts.</summary>
    public void StartsWith(HttpContext context, TimeProvider time) => context.Response.OnStarting(() =>
    {
        AnsweredAt = time.GetTimestamp();
        return Task.CompletedTask;
    });

    /// <summary>Body bytes of an answer of the proxy's own that says what went wrong.</summary>
    public static void Counted(HttpContext context, int bytes)
    {
        if (context.Features.Get<RequestOutcome>() is { } outcome)
        {
            outcome.BytesSent += bytes;
        }
    }

    /// <summary>At least one part of the stored copy was not in memory.</summary>
    public bool TouchedDisk { get; set; }

    /// <summary>Repository that was asked for; null when none.</summary>
    public Fqrn? Fqrn { get; set; }

    /// <summary>Object that was asked for; null when none.</summary>
    public CacheStore.ObjectKey? Key { get; set; }

    /// <summary>Is what was fetched for this request kept (as far as can be told when its head is written)?</summary>
    public bool IsStored { get; set; } = true;

    /// <summary>How many stored copies could not be read back while this request was answered.</summary>
    public int LostCopies { get; set; }

    /// <summary>The value of <c>Cache-Status</c> (RFC 9211).</summary>
    public string ToCacheStatus(string name) => Result switch
    {
        RequestResult.Hit => $"{name}; hit",
        RequestResult.Miss => $"{name}; fwd=uri-miss{Stored}",
        RequestResult.Joined => $"{name}; fwd=uri-miss{Stored}; collapsed",
        RequestResult.Revalidated => $"{name}; fwd=stale{Stored}",
        RequestResult.Stale => $"{name}; hit; fwd=stale; detail=upstream-down",
        RequestResult.Held => $"{name}; hit; detail=held",
        RequestResult.Negative => $"{name}; hit; detail=negative",
        RequestResult.PassedThrough => $"{name}; fwd=bypass",
        RequestResult.Local => $"{name}; detail=local",
        _ => $"{name}; fwd=uri-miss; detail=failed",
    };

    private string Stored => IsStored ? "; stored" : "";
}
