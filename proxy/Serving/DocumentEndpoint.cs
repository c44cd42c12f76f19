using System.Globalization;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Observability;

namespace Breakwater.Proxy.Serving;

/// <summary>Answers requests for documents.</summary>
internal sealed class DocumentEndpoint(DocumentCache documents, ResponseHeads heads, TimeProvider time)
{
    /// <summary>Serves one request; the outcome says how it ended.</summary>
    public async Task ServeAsync(HttpContext context, DocumentRequest request, RequestOutcome outcome)
    {
        DocumentAnswer answer = await documents.GetAsync(request, context.RequestAborted);
        outcome.Result = answer.Result;
        if (answer.Document is not { } document)
        {
            await heads.WriteFailureAsync(context, answer.Failure!, outcome);
            return;
        }

        outcome.Upstream = document.Upstream;
        HttpResponse response = context.Response;
        heads.WriteCommon(response, outcome);
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = document.ContentType;
        response.ContentLength = document.Body.Length;
        response.Headers.CacheControl = string.Create(CultureInfo.InvariantCulture, $"public, max-age={(long)document.Lifetime.TotalSeconds}");
        response.Headers.Age = document.AgeSeconds(time).ToString(CultureInfo.InvariantCulture);
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.BodyWriter.WriteAsync(document.Body, context.RequestAborted);
            outcome.BytesSent = document.Body.Length;
        }
    }
}
