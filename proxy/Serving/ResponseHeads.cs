using System.Globalization;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Serving;

/// <summary>The heads of this proxy's answers: the same fields, whichever way an answer takes.</summary>
internal sealed class ResponseHeads(ProxyOptions options, TimeProvider time)
{
    /// <summary>
    /// What a Stratum 1 sends for objects: three days. Objects never change; this is for caches between us and the client.
    /// </summary>
    public const string ObjectCacheControl = "public, max-age=259200, immutable";

    private readonly string _via = $"1.1 {options.Name}";

    /// <summary>Fields of every answer that carries content of a repository.</summary>
    public void WriteCommon(HttpResponse response, RequestOutcome outcome)
    {
        outcome.AnsweredAt = time.GetTimestamp();
        response.Headers.Via = _via;
        response.Headers["Cache-Status"] = outcome.ToCacheStatus(options.Name);
    }

    /// <summary>
    /// The head of an object. Its name is its hash, which is checked here: it is always as new as can be, so Age is 0.
    /// </summary>
    /// <param name="response">Not started.</param>
    /// <param name="outcome">Where it came from.</param>
    /// <param name="length">Length of the whole object; null when not known.</param>
    /// <param name="range">Offset and count of a partial answer; null for the whole.</param>
    public void WriteObject(HttpResponse response, RequestOutcome outcome, long? length, (long Offset, long Count)? range)
    {
        WriteCommon(response, outcome);
        response.ContentType = "application/octet-stream";
        response.Headers.CacheControl = ObjectCacheControl;
        response.Headers.AcceptRanges = "bytes";
        response.Headers.Age = "0";
        if (range is { } part)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange =
                string.Create(CultureInfo.InvariantCulture, $"bytes {part.Offset}-{part.Offset + part.Count - 1}/{length}");
            response.ContentLength = part.Count;
        }
        else
        {
            response.StatusCode = StatusCodes.Status200OK;
            response.ContentLength = length;
        }
    }

    /// <summary>The range cannot be satisfied.</summary>
    public void WriteRangeNotSatisfiable(HttpResponse response, RequestOutcome outcome, long length)
    {
        WriteCommon(response, outcome);
        response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
        response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{length}");
        response.ContentLength = 0;
    }

    /// <summary>An answer of the proxy's own, for people: what happened and what to do.</summary>
    public Task WriteErrorAsync(HttpContext context, int status, string text, string? proxyStatus = null)
    {
        HttpResponse response = context.Response;
        response.StatusCode = status;
        response.Headers.Via = _via;
        response.Headers.CacheControl = "no-store";
        if (proxyStatus is not null)
        {
            response.Headers["Proxy-Status"] = $"{options.Name}; {proxyStatus}";
        }

        response.ContentType = "text/plain; charset=utf-8";
        byte[] body = System.Text.Encoding.UTF8.GetBytes($"{status}: {text}\n");
        response.ContentLength = body.Length;
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return Task.CompletedTask;
        }

        RequestOutcome.Counted(context, body.Length);
        return response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    /// <summary>No Stratum 1 could give it.</summary>
    public Task WriteFailureAsync(HttpContext context, UpstreamFailure failure, RequestOutcome outcome)
    {
        context.Response.Headers["Cache-Status"] = outcome.ToCacheStatus(options.Name);
        string detail = failure.Detail.Replace('"', '\'').ReplaceLineEndings(" ");
        string ascii = new([.. detail.Where(c => c is >= ' ' and < (char)127 and not '\\')]);
        return WriteErrorAsync(context, failure.StatusCode, failure.Detail, $"error={failure.ProxyError}; details=\"{ascii}\"");
    }
}
