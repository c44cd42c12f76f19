using System.Net;
using System.Net.Http.Headers;

namespace Breakwater.Proxy.Upstreams;

/// <summary>Asks for an object or a document, from a byte on.</summary>
/// <param name="method">GET or HEAD.</param>
/// <param name="path">Path from a Stratum 1's root.</param>
/// <param name="offset">First byte that is wanted. Above zero 206, 200, or a 416 that tells the true length are good answers.</param>
internal sealed class ContentQuestion(HttpMethod method, string path, long offset) : UpstreamQuestion(method, path)
{
    /// <inheritdoc/>
    public override void Prepare(HttpRequestMessage request, Stratum1 upstream)
    {
        if (offset > 0)
        {
            request.Headers.Range = new RangeHeaderValue(offset, null);
        }
    }

    /// <inheritdoc/>
    public override (FailureKind Kind, string What)? Judge(HttpResponseMessage message, out long start, out long? total)
    {
        start = 0;
        total = message.Content.Headers.ContentLength;
        if (message.StatusCode == HttpStatusCode.NotFound)
        {
            return (FailureKind.NotFound, "does not have it");
        }

        if (IsCoded(message))
        {
            return (FailureKind.BadHead, "answered with a content coding that was not asked for");
        }

        if (message.StatusCode == HttpStatusCode.PartialContent && offset > 0 && Method == HttpMethod.Get)
        {
            ContentRangeHeaderValue? range = message.Content.Headers.ContentRange;
            if (range?.From != offset || range.Length is not { } length || range.To != length - 1)
            {
                return (FailureKind.BadHead, "answered with another range than asked for");
            }

            start = offset;
            total = length;
            return null;
        }

        if (message.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && offset > 0 && message.Content.Headers.ContentRange?.Length is { } end && end <= offset)
        {
            start = end;
            total = end;
            return null;
        }

        return message.StatusCode == HttpStatusCode.OK ? null : ToFault(message.StatusCode);
    }
}
