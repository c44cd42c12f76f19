using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>An origin of ordinary HTTP on Kestrel that answers as a test says, and remembers what it was asked.</summary>
internal sealed class HttpOrigin : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<string> _asked = new();
    private long _promisedBytes;

    private HttpOrigin(WebApplication app) => _app = app;

    /// <summary>What it does with a request.</summary>
    public RequestDelegate Answer { get; set; } = _ => Task.CompletedTask;

    /// <summary>Its requests so far: method, path and query, then <c>If-None-Match</c> and <c>Range</c> where there are any.</summary>
    public string[] Asked => [.. _asked];

    /// <summary>Bytes of all bodies, by the lengths in the heads that have left it.</summary>
    public long PromisedBytes => Volatile.Read(ref _promisedBytes);

    /// <summary>Its URL.</summary>
    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    /// <summary>Starts one.</summary>
    public static async Task<HttpOrigin> StartAsync(RequestDelegate answer)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0")
            .ConfigureKestrel(static options => options.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1);
        WebApplication app = builder.Build();
        var origin = new HttpOrigin(app) { Answer = answer };
        app.Run(context =>
        {
            HttpRequest request = context.Request;
            string[] words = [request.Method, request.Path + request.QueryString.Value, request.Headers.IfNoneMatch.ToString(),
                request.Headers.Range.ToString()];
            origin._asked.Enqueue(string.Join(' ', words.Where(word => word.Length > 0)));
            context.Response.OnStarting(() =>
            {
                Interlocked.Add(ref origin._promisedBytes, context.Response.ContentLength ?? 0);
                return Task.CompletedTask;
            });
            return origin.Answer(context);
        });
        await app.StartAsync();
        return origin;
    }

    /// <summary>Answers as a file server does: an entity tag, conditions, one range.</summary>
    public static async Task ServeAsync(HttpContext context, byte[] bytes, string tag, string cacheControl)
    {
        HttpResponse response = context.Response;
        response.Headers.ETag = tag;
        response.Headers.CacheControl = cacheControl;
        if (context.Request.Headers.IfNoneMatch == tag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        string range = context.Request.Headers.Range.ToString();
        string condition = context.Request.Headers.IfRange.ToString();
        (long first, long last) = (0, bytes.Length - 1);
        if (range.Length > 0 && (condition.Length == 0 || condition == tag))
        {
            string[] ends = range["bytes=".Length..].Split('-');
            first = long.Parse(ends[0], System.Globalization.CultureInfo.InvariantCulture);
            last = ends[1].Length == 0 ? last : Math.Min(last, long.Parse(ends[1], System.Globalization.CultureInfo.InvariantCulture));
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = $"bytes {first}-{last}/{bytes.Length}";
        }

        response.ContentLength = last - first + 1;
        if (context.Request.Method != "HEAD")
        {
            await response.Body.WriteAsync(bytes.AsMemory((int)first, (int)(last - first + 1)), context.RequestAborted);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
