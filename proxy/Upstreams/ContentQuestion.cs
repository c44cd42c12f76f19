using System.Net;
using System.Net.Http.Headers;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Upstreams;

/// <summary>Asks for an object or a document, from a byte on.</summary>
/// <param name="method">GET or HEAD.</param>
/// <param name="path">Path from a Stratum 1's root.</param>
/// <param name="offset">First byte that is wanted. Above zero 206, 416 and 200 are good answers.</param>
internal sealed class ContentQuestion(HttpMethod method, string path, long offset) : UpstreamQuestion(method, path)
{
    /// <summary>Field of a request to a node: priority and client.</summary>
    public const string ErrandField = "Breakwater-Errand";

    /// <summary>Of a node: answer from what is held, or not at all.</summary>
    public bool IsOnlyIfHeld { get; init; }

    /// <summary>Of a node: for whom, and how urgently, so that it gives each client its turn.</summary>
    public string? Errand { get; init; }

    /// <inheritdoc/>
    public override void Prepare(HttpRequestMessage request, Stratum1 upstream)
    {
        if (IsOnlyIfHeld)
        {
            request.Headers.CacheControl = new CacheControlHeaderValue { OnlyIfCached = true };
        }

        if (Errand is not null)
        {
            request.Headers.TryAddWithoutValidation(ErrandField, Errand);
        }

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

        if (offset > 0 && Method == HttpMethod.Get
            && message.StatusCode is HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            // What cannot be gone on with is nobody's fault yet: whoever sent what is at hand may have lied about the length.
            bool isPart = message.StatusCode == HttpStatusCode.PartialContent
                && message.Content.Headers.ContentRange is { Unit: "bytes", Length: { } length } range
                && range.From == offset && range.To == length - 1 && (total ?? length - offset) == length - offset;
            start = isPart ? offset : 0;
            total = isPart ? message.Content.Headers.ContentRange!.Length : null;
            return null;
        }

        return message.StatusCode == HttpStatusCode.OK ? null : ToFault(message);
    }
}
