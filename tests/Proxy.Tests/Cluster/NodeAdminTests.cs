using System.Net;
using Breakwater.Proxy.Cluster;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;

namespace Breakwater.Proxy.Tests.Cluster;

/// <summary>A command for another node, and that node's answer, on their way through this one.</summary>
public sealed class NodeAdminTests
{
    [Theory]
    [InlineData(3L, null, "application/json; a=b", true)]
    [InlineData(3L, null, null, true)]
    [InlineData(null, "chunked", "text/plain", true)]
    [InlineData(0L, null, "text/plain", false)]
    [InlineData(null, null, null, false)]
    public async Task CopyBody_OfARequest_IsItsBytesLengthAndType(long? length, string? coding, string? type, bool hasBody)
    {
        var context = new DefaultHttpContext();
        context.Request.Body = new MemoryStream([1, 2, 3]);
        context.Request.ContentType = type;
        context.Request.ContentLength = length;
        context.Request.Headers.TransferEncoding = coding;
        using var sent = new HttpRequestMessage();

        NodeAdmin.CopyBody(context.Request, sent);

        Assert.Equal(hasBody, sent.Content is not null);
        if (sent.Content is { } content)
        {
            Assert.Equal((length, type), (content.Headers.ContentLength, content.Headers.ContentType?.ToString()));
            Assert.Equal([1, 2, 3], await content.ReadAsByteArrayAsync());
        }
    }

    [Fact]
    public async Task CopyAsync_OfAnAnswer_IsItsStatusTypeLengthAndBytes()
    {
        byte[] bytes = new SyntheticObject(40_000).Bytes; // more than is copied at a time
        using var from = new HttpResponseMessage(HttpStatusCode.Conflict) { Content = new ByteArrayContent(bytes) };
        from.Content.Headers.TryAddWithoutValidation("Content-Type", "application/problem+json; a=b");
        var to = new DefaultHttpContext();
        to.Response.Body = new MemoryStream();

        await NodeAdmin.CopyAsync(from, to).InTimeAsync();

        Assert.Equal((409, "application/problem+json; a=b", (long?)bytes.Length),
            (to.Response.StatusCode, to.Response.ContentType, to.Response.ContentLength));
        Assert.Equal(bytes, ((MemoryStream)to.Response.Body).ToArray());
    }
}
