using System.Net.Sockets;
using System.Text;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.ZeroTouch;

/// <summary>What a machine without any setting asks the proxy itself for.</summary>
public sealed class ZeroTouchTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _boot = new();
    private readonly TemporaryDirectory _outside = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private readonly byte[] _image = new byte[100_000];
    private ProxyUnderTest _proxy = null!;

    public async Task InitializeAsync()
    {
        new Random(1).NextBytes(_image);
        await File.WriteAllBytesAsync(_boot.Combine("ucernvm.img"), _image);
        await File.WriteAllTextAsync(_boot.Combine(".hidden"), "no");
        await File.WriteAllTextAsync(_outside.Combine("secret"), "no");
        File.CreateSymbolicLink(_boot.Combine("link-out"), _outside.Combine("secret"));
        File.CreateSymbolicLink(_boot.Combine("latest.img"), "ucernvm.img");
        Directory.CreateSymbolicLink(_boot.Combine("folder-out"), _outside.Path);
        _proxy = await ProxyUnderTest.StartAsync(new Dictionary<string, string?> { ["ZeroTouch:BootDirectory"] = _boot.Path }, null,
            _upstream);
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _upstream.DisposeAsync();
        _boot.Dispose();
        _outside.Dispose();
    }

    [Theory]
    [InlineData("/wpad.dat")]
    [InlineData("/proxy.pac")]
    public async Task Pac_NamesTheAddressThatWasReached(string target)
    {
        RawResponse response = await AskAsync(target);

        Assert.Equal(200, response.Status);
        Assert.Equal("application/x-ns-proxy-autoconfig", response.Header("Content-Type"));
        Assert.Contains($"PROXY 127.0.0.1:{_proxy.EndPoint.Port}; DIRECT", Encoding.ASCII.GetString(response.Body),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pac_IsThisClientsOwnForFiveMinutes_AndItsBytesAreCounted()
    {
        using RawHttpClient client = await _proxy.ConnectAsync();
        RawResponse head = await client.HeadAsync("/proxy.pac");
        RawResponse whole = await client.GetAsync("/proxy.pac?x=1");

        Assert.Equal("private, max-age=300", whole.Header("Cache-Control"));
        Assert.Equal((200, $"{whole.Body.Length}", $"{whole.Body.Length}"),
            (head.Status, head.Header("Content-Length"), whole.Header("Content-Length")));
        Assert.Empty(head.Body);
        await AssertCountedAsync(requests: 2, whole.Body.Length);
    }

    [Fact]
    public async Task BootImage_WholeInPartAndItsHead_AreCountedByWhatWasSent()
    {
        using RawHttpClient client = await _proxy.ConnectAsync();
        Assert.Equal(_image, (await client.GetAsync("/boot/ucernvm.img?serial=7")).Body);
        Assert.Equal(_image, (await client.GetAsync("//boot/ucernvm.img")).Body);
        Assert.Equal(206, (await client.GetAsync("/boot/ucernvm.img", "Range: bytes=0-99")).Status);
        RawResponse head = await client.HeadAsync("/boot/ucernvm.img");

        Assert.Equal((200, "100000"), (head.Status, head.Header("Content-Length")));
        Assert.Equal("application/octet-stream", head.Header("Content-Type"));
        Assert.Equal(304, (await client.GetAsync("/boot/ucernvm.img", "If-None-Match: " + head.Header("ETag"))).Status);
        await AssertCountedAsync(requests: 5, 100_000 + 100_000 + 100);
    }

    [Theory]
    [InlineData("/wpad.da")]
    [InlineData("/boot")]
    [InlineData("/bootx/ucernvm.img")]
    public async Task OtherTarget_IsNoneOfThese(string target)
    {
        Assert.InRange((await AskAsync(target)).Status, 400, 404);
        await _proxy.CountedAsync(1);

        Assert.Equal((0, 0), _proxy.Services.GetRequiredService<RequestRecorder>().TotalOf(RequestResult.Local));
    }

    [Fact]
    public async Task BootImage_InTwoPieces_IsWhole()
    {
        RawResponse first = await AskAsync("/boot/ucernvm.img", "Range: bytes=0-39999");
        RawResponse rest = await AskAsync("/boot/ucernvm.img", "Range: bytes=40000-");
        RawResponse whole = await AskAsync("/boot/ucernvm.img");

        Assert.Equal(206, first.Status);
        Assert.Equal("bytes 40000-99999/100000", rest.Header("Content-Range"));
        Assert.Equal(_image, first.Body.Concat(rest.Body));
        Assert.Equal(_image, whole.Body);
    }

    [Fact]
    public async Task BootImage_LinkWithinTheFolder_IsServed() => Assert.Equal(_image, (await AskAsync("/boot/latest.img")).Body);

    [Fact]
    public async Task BootImage_ReplacedBetweenTwoPieces_StartsAnew()
    {
        string tag = (await AskAsync("/boot/ucernvm.img", "Range: bytes=0-39999")).Header("ETag")!;
        Assert.Equal(206, (await AskAsync("/boot/ucernvm.img", "Range: bytes=40000-", "If-Range: " + tag)).Status);

        byte[] other = [.. _image.Reverse(), 0];
        await File.WriteAllBytesAsync(_boot.Combine("ucernvm.img"), other);
        RawResponse rest = await AskAsync("/boot/ucernvm.img", "Range: bytes=40000-", "If-Range: " + tag);

        Assert.Equal(200, rest.Status);
        Assert.Equal(other, rest.Body);
    }

    [Fact]
    public async Task BootImage_WhatItsLinkLeadsToReplacedBetweenTwoPieces_StartsAnew()
    {
        string tag = (await AskAsync("/boot/latest.img", "Range: bytes=0-39999")).Header("ETag")!;
        Assert.Equal(206, (await AskAsync("/boot/latest.img", "Range: bytes=40000-", "If-Range: " + tag)).Status);

        byte[] other = [.. _image.Reverse(), 0];
        await File.WriteAllBytesAsync(_boot.Combine("ucernvm.img"), other);
        RawResponse rest = await AskAsync("/boot/latest.img", "Range: bytes=40000-", "If-Range: " + tag);

        Assert.Equal(200, rest.Status);
        Assert.Equal(other, rest.Body);
    }

    [Fact]
    public async Task BootImage_FolderExchangedAsAConfigMapIs_StartsAnew()
    {
        // ..data is a link that is exchanged; the file's own link, its time and its length stay.
        Directory.CreateDirectory(_boot.Combine("..1"));
        Directory.CreateDirectory(_boot.Combine("..2"));
        await File.WriteAllBytesAsync(_boot.Combine("..1", "vmlinuz"), _image);
        byte[] other = [.. _image.Reverse(), 0];
        await File.WriteAllBytesAsync(_boot.Combine("..2", "vmlinuz"), other);
        Directory.CreateSymbolicLink(_boot.Combine("..data"), "..1");
        File.CreateSymbolicLink(_boot.Combine("vmlinuz"), "..data/vmlinuz");
        string tag = (await AskAsync("/boot/vmlinuz", "Range: bytes=0-39999")).Header("ETag")!;

        Directory.Delete(_boot.Combine("..data"));
        Directory.CreateSymbolicLink(_boot.Combine("..data"), "..2");
        RawResponse rest = await AskAsync("/boot/vmlinuz", "Range: bytes=40000-", "If-Range: " + tag);

        Assert.Equal(200, rest.Status);
        Assert.Equal(other, rest.Body);
    }

    [Theory]
    [InlineData("/boot/.hidden")]
    [InlineData("/boot/../etc/passwd")]
    [InlineData("/boot/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/boot/missing")]
    [InlineData("/boot/link-out")]
    [InlineData("/boot/folder-out/secret")]
    [InlineData("/boot/")]
    public async Task BootFolder_AnythingElse_IsNotServed(string target) => Assert.InRange((await AskAsync(target)).Status, 400, 404);

    /// <summary>What the folder's owner did wrong is no fault of the proxy, which must not ask him to report one.</summary>
    [Theory]
    [InlineData("itself")]
    [InlineData("circle-1")]
    [InlineData("circle/vmlinuz")]
    [InlineData("socket")]
    [InlineData("nowhere")]
    public async Task BootFolder_WhatCannotBeOpened_IsNotThere(string name)
    {
        File.CreateSymbolicLink(_boot.Combine("itself"), "itself");
        File.CreateSymbolicLink(_boot.Combine("circle-1"), "circle-2");
        File.CreateSymbolicLink(_boot.Combine("circle-2"), "circle-1");
        File.CreateSymbolicLink(_boot.Combine("circle"), "circle/a");
        File.CreateSymbolicLink(_boot.Combine("nowhere"), "nothing");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_boot.Combine("socket")));

        Assert.Equal(404, (await AskAsync("/boot/" + name)).Status);
    }

    private async Task AssertCountedAsync(long requests, long bytes)
    {
        await _proxy.CountedAsync((int)requests);
        Assert.Equal((requests, bytes), _proxy.Services.GetRequiredService<RequestRecorder>().TotalOf(RequestResult.Local));
    }

    private async Task<RawResponse> AskAsync(string target, params string[] headers)
    {
        using RawHttpClient client = await _proxy.ConnectAsync();
        await client.SendAsync(RawHttpClient.Request("GET", target, headers));
        return await client.ReadResponseAsync();
    }
}
