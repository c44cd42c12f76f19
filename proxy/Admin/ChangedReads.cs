using System.IO.Hashing;
using System.Text.Json;

namespace Breakwater.Proxy.Admin;

/// <summary>
/// Gives what is read an <c>ETag</c>: who asks again with <c>If-None-Match</c> (RFC 9110, 13.1.2) gets a 304 without a body while nothing
/// has changed. Streams and results that a room made itself pass as they are.
/// </summary>
internal static class ChangedReads
{
    /// <summary>The filter of an endpoint.</summary>
    public static async ValueTask<object?> TagAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        object? value = await next(context);
        if (value is null or IResult or string || IsStream(value))
        {
            return value;
        }

        byte[] body = JsonSerializer.SerializeToUtf8Bytes(value, value.GetType(), AdminServer.Json);
        string tag = $"\"{Convert.ToHexStringLower(XxHash128.Hash(body))}\"";
        HttpContext http = context.HttpContext;
        http.Response.Headers.ETag = tag;
        return http.Request.Headers.IfNoneMatch.Any(known => known?.Contains(tag, StringComparison.Ordinal) == true)
            ? Results.StatusCode(StatusCodes.Status304NotModified)
            : Results.Bytes(body, "application/json; charset=utf-8");
    }

    private static bool IsStream(object value) => value.GetType().GetInterfaces()
        .Any(one => one.IsGenericType && one.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>));
}
