using System.Globalization;
using System.IO.Pipelines;
using Breakwater.CacheStore.Spooling;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Serving;

/// <summary>Answers requests for documents.</summary>
internal sealed class DocumentEndpoint(DocumentCache documents, ResponseHeads heads, OverflowBudget budget, TimeProvider time)
{
    /// <summary>As much as a connection holds at a time.</summary>
    private const int ChunkBytes = 64 << 10;

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

        // A slow client can hold a long document in memory long after the cache has dropped it, so the budget is charged.
        long held = document.Body.Length > ChunkBytes ? document.Body.Length : 0;
        if (!budget.TryTake(held))
        {
            outcome.Result = RequestResult.Failed;
            await heads.WriteFailureAsync(context,
                new UpstreamFailure(FailureKind.Timeout, "the documents under way take all of Proxy:MaxUnstoredBytes; ask again"), outcome);
            return;
        }

        try
        {
            await SendAsync(context, document, outcome);
        }
        finally
        {
            budget.GiveBack(held);
        }
    }

    private async Task SendAsync(HttpContext context, CachedDocument document, RequestOutcome outcome)
    {
        outcome.Upstream = document.Upstream;
        HttpResponse response = context.Response;
        heads.WriteCommon(response, outcome);
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = document.ContentType;
        response.ContentLength = document.Body.Length;
        response.Headers.CacheControl =
            string.Create(CultureInfo.InvariantCulture, $"public, max-age={(long)document.Lifetime.TotalSeconds}");
        response.Headers.Age = document.AgeSeconds(time).ToString(CultureInfo.InvariantCulture);
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await SendAsync(context, document.Body, outcome);
        }
    }

    /// <summary>Chunk by chunk, waiting for each: a client that does not read holds no copy of a long document.</summary>
    private static async Task SendAsync(HttpContext context, ReadOnlyMemory<byte> body, RequestOutcome outcome)
    {
        while (!body.IsEmpty)
        {
            ReadOnlyMemory<byte> chunk = body[..Math.Min(body.Length, ChunkBytes)];
            FlushResult flushed = await context.Response.BodyWriter.WriteAsync(chunk, context.RequestAborted);
            outcome.BytesSent += chunk.Length;
            if (flushed.IsCompleted)
            {
                return;
            }

            body = body[chunk.Length..];
        }
    }
}
