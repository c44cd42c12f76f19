using System.Globalization;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Breakwater.Proxy.FunctionalTests.HitPath;

/// <summary>What an origin of ordinary HTTP answers by path: of each kind of answer one, always the same for the same request.</summary>
/// <param name="now">The time that its answers tell.</param>
internal sealed class ReadyOrigin(DateTimeOffset now)
{
    private static readonly byte[] s_long = new SyntheticObject((1 << 20) + 1).Bytes;

    /// <summary>Those that are stored and fresh for all who ask.</summary>
    public static readonly string[] Stored =
    [
        "/plain", "/plain?x=1&y=%7e/", "/dated", "/bare", "/big", "/slice", "/over", "/empty", "/missing", "/moved", "/coded", "/varied",
        "/aged", "/fields", "/phrase", "/expires", "/odd-date", "/no-cache-field",
    ];

    /// <summary>One that is for each client alone.</summary>
    public const string Unstored = "/private";

    /// <summary>Answers.</summary>
    public Task AnswerAsync(HttpContext context)
    {
        HttpResponse response = context.Response;
        IHeaderDictionary fields = response.Headers;
        string path = context.Request.Path.Value!;
        fields.Date = At(0);
        fields.CacheControl = "max-age=3600";
        fields.ETag = "\"one\"";
        int length = 4096;
        switch (path)
        {
            case "/dated":
                fields.Remove("Cache-Control");
                fields.Remove("ETag");
                fields.LastModified = At(-40_005);
                break;
            case "/bare":
                fields.Remove("ETag");
                break;
            case "/big":
                length = 200_000;
                break;
            case "/slice":
                length = 1 << 20;
                break;
            case "/over":
                length = s_long.Length;
                break;
            case "/empty":
                length = 0;
                break;
            case "/missing":
                response.StatusCode = 404;
                break;
            case "/moved":
                response.StatusCode = 301;
                fields.Location = "/plain";
                break;
            case "/coded":
                fields.Vary = "Accept-Encoding";
                fields.ContentEncoding = context.Request.Headers.AcceptEncoding == "gzip" ? "gzip" : "identity";
                fields.ETag = $"\"{fields.ContentEncoding}\"";
                break;
            case "/varied":
                fields.Vary = "Accept-Language, X-Flavour";
                fields.ETag = $"\"{context.Request.Headers.AcceptLanguage}{context.Request.Headers["X-Flavour"]}\"";
                break;
            case "/aged":
                fields.Age = "7";
                break;
            case "/fields":
                Decorate(fields);
                break;
            case "/phrase":
                context.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = "Fine";
                break;
            case "/expires":
                fields.Remove("Cache-Control");
                fields.Expires = At(1801);
                break;
            case "/odd-date":
                fields.Date = now.AddSeconds(-9).ToString("dddd, dd-MMM-yy HH:mm:ss 'GMT'", CultureInfo.InvariantCulture);
                break;
            case "/no-cache-field":
                fields.CacheControl = "max-age=3600, no-cache=\"X-Secret\"";
                fields["X-Secret"] = "not stored";
                break;
            case Unstored:
                fields.CacheControl = "no-store";
                break;
        }

        response.ContentType ??= "text/plain";
        response.ContentLength = length;
        return context.Request.Method == "HEAD" ? Task.CompletedTask : response.Body.WriteAsync(s_long.AsMemory(0, length)).AsTask();
    }

    /// <summary>Fields in all shapes: known to Kestrel and not, twice, beyond ASCII, and those that this proxy adds to.</summary>
    private static void Decorate(IHeaderDictionary fields)
    {
        fields["X-Twice"] = new(["one", "two"]);
        fields.SetCookie = new(["a=1", "b=2"]);
        fields["cache-status"] = new(["\"o\"; hit", "o2; fwd=miss"]);
        fields.Via = "1.1 origin";
        fields.Server = "origin";
        fields.AcceptRanges = "none";
        fields.ETag = "W/\"weak\"";
        fields.ContentDisposition = "attachment; filename=\"\u00e9\u00ff.txt\"";
        fields["x-empty"] = "";
        fields.Warning = "199 - \"w\"";
        fields["X-Content-Type-Options"] = "nosniff";
        fields.ContentLanguage = "de";
        fields.Allow = "GET";
    }

    private string At(int seconds) => now.AddSeconds(seconds).ToString("R", CultureInfo.InvariantCulture);
}
