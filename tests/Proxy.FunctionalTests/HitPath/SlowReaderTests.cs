using System.Globalization;
using System.Net.Sockets;
using Breakwater.CacheStore;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.HitPath;

/// <summary>Clients that take their time, on the hit path.</summary>
public sealed class SlowReaderTests
{
    [Fact]
    public async Task Hit_HeadInTwoPiecesThenReadForLongerThanAHeadMayTake_IsWhole()
    {
        (byte[] expected, byte[] body) = await ReadSlowlyAsync(isHalfClosed: false);

        Assert.Equal(expected, body);
    }

    [Fact]
    public async Task Hit_ClientHasClosedItsSendingSide_IsWhole()
    {
        (byte[] expected, byte[] body) = await ReadSlowlyAsync(isHalfClosed: true);

        Assert.Equal(expected, body);
    }

    [Fact]
    public async Task Hit_ObjectIsStillStagedInMemory_IsWhole()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>(ProxyUnderTest.Patient) { ["Store:CommitInterval"] = "00:00:10" }, null, upstream);
        SyntheticObject item = new SyntheticObject(900_000).On(upstream); // of the lengths that go out by sendfile when they are in a file
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);

        using RawHttpClient client = await RawHttpClient.ConnectShortAsync(proxy.EndPoint);
        await client.SendAsync(RawHttpClient.Request("GET", item.Path));
        await client.SettledAsync(); // the connection holds what it can; the rest is pending
        RawResponse answer = await client.ReadResponseAsync();
        Assert.True(answer.IsComplete);
        Assert.Equal(item.Bytes, answer.Body);
    }

    [Fact]
    public async Task Hit_EvictedForOthersWhileItIsSent_IsWholeFromTheFileThatItHolds()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>(ProxyUnderTest.Patient)
            {
                ["Store:QuotaBytes"] =
            StoreOptions.MinQuotaBytes.ToString(CultureInfo.InvariantCulture)
            }, null, upstream);
        SyntheticObject item = new SyntheticObject(12 << 20).On(upstream);
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
        await Waiting.UntilAsync(() => proxy.Store.List().Any());
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);

        using RawHttpClient client = await RawHttpClient.ConnectShortAsync(proxy.EndPoint);
        await client.SendAsync(RawHttpClient.Request("GET", item.Path));
        await client.SettledAsync();
        for (int i = 0; i < 40; i++)
        {
            SyntheticObject other = new SyntheticObject(4 << 20, i + 1).On(upstream);
            Assert.Equal(200, (await proxy.GetAsync(other.Url)).Status);
        }

        RawResponse answer = await client.ReadResponseAsync();
        Assert.True(answer.IsComplete);
        Assert.Equal(item.Bytes, answer.Body);
        Assert.Equal(1, upstream.Requests.Count(request => request.Path == item.Path));
    }

    /// <summary>
    /// What was found right is checked again after a while, and when its file was touched: that may come in the middle of an answer.
    /// </summary>
    [Theory]
    [InlineData(100_000, false)]
    [InlineData(900_000, false)]
    [InlineData(8 << 20, false)]
    [InlineData(8 << 20, true)]
    public async Task Hit_IsToBeCheckedAgainWhileItIsSent_GoesOnFromTheStoreOrIfWrongFromAStratum1(int length, bool isWrong)
    {
        using TemporaryDirectory directory = new();
        string store = directory.Combine("store");
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>(ProxyUnderTest.Patient) { ["Store:Path"] = store }, null, upstream);
        SyntheticObject item = new SyntheticObject(length).On(upstream);
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
        await StoreFiles.WrittenAsync(store, item.Bytes);
        await Waiting.UntilAsync(() => proxy.Store.List().Any());
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body); // checked
        }

        using RawHttpClient client = await RawHttpClient.ConnectShortAsync(proxy.EndPoint);
        await client.SendAsync(RawHttpClient.Request("GET", item.Path));
        await client.SettledAsync();
        foreach (string path in Directory.GetFiles(Path.Combine(store, "objects"), "*.seg"))
        {
            File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch);
        }

        if (isWrong)
        {
            StoreFiles.Flip(store, item.Bytes);
        }

        RawResponse answer = await client.ReadResponseAsync();
        Assert.True(answer.IsComplete);
        Assert.Equal(item.Bytes, answer.Body);
        Assert.Equal(isWrong ? 2 : 1, upstream.Requests.Count(request => request.Path == item.Path));
    }

    /// <summary>
    /// Eight megabytes of a warm object, over a connection that holds little of them, in five seconds, where a head may take two.
    /// </summary>
    private static async Task<(byte[] Expected, byte[] Body)> ReadSlowlyAsync(bool isHalfClosed)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>(ProxyUnderTest.Patient) { ["Proxy:RequestHeadTimeout"] = "00:00:02" }, null, upstream);
        SyntheticObject item = new SyntheticObject(8 << 20).On(upstream);
        using (RawHttpClient first = await proxy.ConnectAsync())
        {
            for (int i = 0; i < 2; i++) // fetched; then checked, once a process, by the ordinary path
            {
                RawResponse warm = await first.GetAsync(item.Url);
                Assert.Equal(item.Bytes, warm.Body);
                await Waiting.UntilAsync(() => proxy.Store.List().Any()); // on disk
            }
        }

        using RawHttpClient client = await proxy.ConnectAsync();
        client.Socket.ReceiveBufferSize = 16 << 10;
        byte[] request = RawHttpClient.Request("GET", item.Path);
        await client.SendAsync(request.AsMemory(0, 30));
        await Task.Delay(200); // two reads of the proxy
        await client.SendAsync(request.AsMemory(30));
        if (isHalfClosed)
        {
            client.Socket.Shutdown(SocketShutdown.Send);
        }

        RawResponseHead head = await client.ReadHeadAsync();
        Assert.Equal(200, head.Status);
        using MemoryStream body = new();
        byte[] buffer = new byte[64 << 10];
        while (body.Length < item.Bytes.Length)
        {
            int n = await client.ReadSomeAsync(buffer);
            if (n == 0)
            {
                break; // cut: the comparison shows where
            }

            body.Write(buffer, 0, n);
            if (body.Length >> 19 != (body.Length - n) >> 19)
            {
                await Task.Delay(300); // after each half megabyte
            }
        }

        return (item.Bytes, body.ToArray());
    }
}
