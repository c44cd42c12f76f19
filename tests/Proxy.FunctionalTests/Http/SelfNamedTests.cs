using System.Security.Cryptography;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;

namespace Breakwater.Proxy.FunctionalTests.Http;

/// <summary>URLs that name their own hash: proved, shared by all hosts, and read only by whom each host lets.</summary>
public sealed class SelfNamedTests
{
    private static readonly byte[] s_blob = new SyntheticObject((2 << 20) + 77).Bytes;
    private static readonly string s_path = $"/v2/lab/image/blobs/sha256:{Convert.ToHexStringLower(SHA256.HashData(s_blob))}";

    [Theory]
    [InlineData("/v2/lab/image/blobs/sha256:")]
    [InlineData("/debian/dists/stable/main/binary-amd64/by-hash/SHA256/")]
    public async Task Bytes_OfOneHost_AreReleasedUnderAnotherWhenItSaysYes(string prefix)
    {
        string path = prefix + s_path[^64..];
        await using HttpOrigin a = await HttpOrigin.StartAsync(context => ServeAsync(context, s_blob));
        await using HttpOrigin b = await HttpOrigin.StartAsync(context => ServeAsync(context, s_blob));
        await using ProxyUnderTest proxy = await StartAsync(a, b);

        AssertBlob(await AskAsync(proxy, "a", path));
        AssertBlob(await AskAsync(proxy, "b", path));
        AssertBlob(await AskAsync(proxy, "b", path));
        RawResponse part = await AskAsync(proxy, "b", path, "Range: bytes=1048570-1048580\r\n");

        Assert.Equal((206, true), (part.Status, part.Body.AsSpan().SequenceEqual(s_blob.AsSpan(1048570, 11))));
        Assert.Equal([$"GET {path}"], a.Asked);
        Assert.Equal([$"HEAD {path}"], b.Asked);
    }

    [Theory]
    [InlineData("Authorization: Bearer right\r\n", "")]
    [InlineData("Cookie: session=right\r\n", "")]
    [InlineData("X-Registry-Token: right\r\n", "")]
    [InlineData("", "?sig=right")]
    public async Task PrivateBlob_AfterItsReaderHadIt_IsNobodyElses(string secret, string query)
    {
        string wrong = secret.Replace("right", "wrong", StringComparison.Ordinal);
        await using HttpOrigin a = await HttpOrigin.StartAsync(context =>
        {
            bool mayRead = context.Request.Headers.Any(field => field.Value.ToString().EndsWith("right", StringComparison.Ordinal))
                || context.Request.QueryString.Value == "?sig=right";
            return mayRead ? ServeAsync(context, s_blob) : RefuseAsync(context, 401);
        });
        await using HttpOrigin b = await HttpOrigin.StartAsync(context => RefuseAsync(context, 404));
        await using ProxyUnderTest proxy = await StartAsync(a, b);

        for (int round = 0; round < 2; round++)
        {
            AssertBlob(await AskAsync(proxy, "a", s_path + query, secret));
            Assert.Equal(401, (await AskAsync(proxy, "a", s_path)).Status);
            Assert.Equal(401, (await AskAsync(proxy, "a", s_path, "Range: bytes=0-9\r\n")).Status);
            Assert.Equal(401, (await AskAsync(proxy, "a", s_path, "Cache-Control: max-stale\r\n")).Status);
            string wrongQuery = query.Replace("right", "wrong", StringComparison.Ordinal);
            Assert.Equal(401, (await AskAsync(proxy, "a", s_path + wrongQuery, wrong)).Status);
            Assert.Equal(404, (await AskAsync(proxy, "b", s_path)).Status);
            Assert.Equal(404, (await AskAsync(proxy, "b", s_path + query, secret)).Status);
        }

        Assert.Contains($"HEAD {s_path}{query}", a.Asked);
    }

    [Fact]
    public async Task Permission_ThatIsStaleOrRenewedByASecret_IsAskedForAgain()
    {
        bool isOpen = true;
        await using HttpOrigin a = await HttpOrigin.StartAsync(context =>
            isOpen || context.Request.Headers.Authorization == "Bearer right"
                ? HttpOrigin.ServeAsync(context, s_blob, "\"x\"", isOpen ? "max-age=0" : "public, max-age=600, stale-while-revalidate=600")
                : RefuseAsync(context, 403));
        await using ProxyUnderTest proxy = await StartAsync(a, a);

        AssertBlob(await AskAsync(proxy, "a", s_path));
        isOpen = false;
        Assert.Equal(403, (await AskAsync(proxy, "a", s_path)).Status);
        AssertBlob(await AskAsync(proxy, "a", s_path, "Authorization: Bearer right\r\n"));
        Assert.Equal(403, (await AskAsync(proxy, "a", s_path)).Status);
        a.Answer = context => RefuseAsync(context, 503);
        Assert.Equal(503, (await AskAsync(proxy, "a", s_path)).Status);
    }

    [Fact]
    public async Task Mirror_ThatLies_IsHealedFromTheNext()
    {
        byte[] lie = (byte[])s_blob.Clone();
        lie[100] ^= 1;
        await using HttpOrigin liar = await HttpOrigin.StartAsync(context => ServeAsync(context, lie));
        await using HttpOrigin right = await HttpOrigin.StartAsync(context => ServeAsync(context, s_blob));
        await using ProxyUnderTest proxy = await StartAsync(liar, liar, ("Http:Sites:a.example.org:Mirrors:0", right.Address));

        AssertBlob(await AskAsync(proxy, "a", s_path));
        AssertBlob(await AskAsync(proxy, "a", s_path));
        RawResponse alone = await AskAsync(proxy, "b", s_path.Replace("/lab/", "/other/", StringComparison.Ordinal));

        Assert.Equal([$"GET {s_path}"], right.Asked);
        AssertBlob(alone);
    }

    [Fact]
    public async Task Lie_WithNobodyToHealIt_IsNeverWhole()
    {
        byte[] lie = (byte[])s_blob.Clone();
        lie[^1] ^= 1;
        await using HttpOrigin liar = await HttpOrigin.StartAsync(context => ServeAsync(context, lie));
        await using ProxyUnderTest proxy = await StartAsync(liar, liar);

        Assert.False((await AskAsync(proxy, "a", s_path)).IsComplete);
        Assert.False((await AskAsync(proxy, "b", s_path)).IsComplete);
        Assert.Equal([$"GET {s_path}", $"GET {s_path}"], liar.Asked);
    }

    [Fact]
    public async Task Mirror_AfterA5xxOrACutBody_IsAskedInstead()
    {
        await using HttpOrigin ill = await HttpOrigin.StartAsync(context => RefuseAsync(context, 503));
        await using HttpOrigin well = await HttpOrigin.StartAsync(context => ServeAsync(context, s_blob));
        await using ProxyUnderTest proxy = await StartAsync(ill, ill, ("Http:Sites:a.example.org:Mirrors:0", well.Address));

        AssertBlob(await AskAsync(proxy, "a", "/plain"));
        ill.Answer = async context =>
        {
            context.Response.ContentLength = s_blob.Length;
            await context.Response.Body.WriteAsync(s_blob.AsMemory(0, 1 << 20));
            await context.Response.Body.FlushAsync();
            context.Abort();
        };
        AssertBlob(await AskAsync(proxy, "a", s_path));
    }

    private static async Task ServeAsync(HttpContext context, byte[] bytes)
    {
        context.Response.Headers.CacheControl = "public, max-age=600";
        context.Response.ContentLength = bytes.Length;
        if (context.Request.Method != "HEAD")
        {
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
        }
    }

    private static Task RefuseAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.CacheControl = "no-store";
        return Task.CompletedTask;
    }

    private static Task<ProxyUnderTest> StartAsync(HttpOrigin a, HttpOrigin b, params (string Name, string Value)[] settings)
    {
        Dictionary<string, string?> all = settings.ToDictionary(s => s.Name, string? (s) => s.Value);
        all["Http:Sites:a.example.org:Origin"] = a.Address;
        all["Http:Sites:b.example.org:Origin"] = b.Address;
        all["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://127.0.0.1:9/";
        return ProxyUnderTest.StartAsync(all, null);
    }

    private static async Task<RawResponse> AskAsync(ProxyUnderTest proxy, string host, string path, string fields = "")
    {
        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync($"GET {path} HTTP/1.1\r\nHost: {host}.example.org\r\n{fields}\r\n");
        return await client.ReadResponseAsync();
    }

    private static void AssertBlob(RawResponse response) =>
        Assert.True(response.Status == 200 && response.IsComplete && response.Body.AsSpan().SequenceEqual(s_blob), $"{response.Status}");
}
