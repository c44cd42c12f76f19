namespace Breakwater.Proxy.Admin;

/// <summary>Gives every failed answer of the admin port a body: nobody has to guess what a bare 404 or 400 means.</summary>
internal static partial class AdminFallback
{
    private const string Api = "/api/v1";

    /// <summary>Runs the rest of the pipeline, and gives its failed answer a body if it has none.</summary>
    public static async Task RunAsync(HttpContext context, RequestDelegate next, ILogger log)
    {
        try
        {
            await next(context);
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await new AdminProblem(e.Message).Result(e.StatusCode).ExecuteAsync(context);
            return;
        }
        catch (Exception e) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            LogFault(log, e, context.Request.Method, context.Request.Path);
            await new AdminProblem("This is a fault of Breakwater itself.", "The service's log has the rest.")
                .Result(StatusCodes.Status500InternalServerError).ExecuteAsync(context);
            return;
        }

        HttpResponse response = context.Response;
        if (response.StatusCode >= StatusCodes.Status400BadRequest && !response.HasStarted && response.ContentType is null
            && response.ContentLength is null or 0)
        {
            await Unsaid(context.Request, response.StatusCode).Result(response.StatusCode).ExecuteAsync(context);
        }
    }

    private static AdminProblem Unsaid(HttpRequest request, int status) => status switch
    {
        StatusCodes.Status404NotFound when request.Path.StartsWithSegments("/squid-internal-mgr") => new AdminProblem(
            $"There is no page {request.Path} here.",
            $"{SquidRoom.Root}menu lists those of squid's pages that are; the rest is at /metrics."),
        StatusCodes.Status404NotFound => new AdminProblem(
            $"There is nothing at {request.Path}.",
            $"GET {Api}/status lists what can be read and done; the page is at /, metrics at /metrics, health at /healthz/ready."),
        StatusCodes.Status405MethodNotAllowed => new AdminProblem(
            $"{request.Path} cannot be asked by {request.Method}.", "The Allow header says by what. GET reads, POST acts, DELETE removes."),
        StatusCodes.Status415UnsupportedMediaType => new AdminProblem("The body must be JSON.", "Send Content-Type: application/json."),
        _ => new AdminProblem("The request cannot be understood."),
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "The admin port could not answer {Method} {Path}")]
    private static partial void LogFault(ILogger log, Exception exception, string method, string path);
}
