using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Serving;

/// <summary>Answers about objects that are not stored yet: what their heads say of the store, and parts of them.</summary>
public sealed class ColdObjectTests
{
    [Theory]
    [InlineData("true", 2_000_000, null, null)]
    [InlineData("true", 2_000_000, "Store:MaxObjectBytes", "1048576")]
    [InlineData("true", 17_000_000, "Store:QuotaBytes", "67108864")] // an object takes a quarter at most
    [InlineData("true", 30_000, null, null)]
    [InlineData("false", 2_000_000, "Store:MaxObjectBytes", "1048576")]
    [InlineData("false", 17_000_000, "Store:QuotaBytes", "67108864")]
    [InlineData("false", 30_000, null, null)]
    public async Task CacheStatus_OfAllWhoGetIt_SaysStoredIfTheNextRequestIsAHit(string rawPath, int sizeBytes, string? limit,
        string? limitBytes)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(sizeBytes).On(upstream);
        Gate gate = new();
        upstream.Script(item.Path, UpstreamBehaviour.WaitsAt(sizeBytes / 2, gate));
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>(ProxyUnderTest.Patient)
            {
                ["Proxy:RawPath"] = rawPath,
                [limit ?? "Store:MaxObjectBytes"] = limitBytes
            }, null, upstream);
        Task<RawResponse>[] asked = [.. Enumerable.Range(0, 3).Select(_ => proxy.GetAsync(item.Path))];
        await gate.Reached;
        gate.Open();
        string[] said = [.. (await Task.WhenAll(asked)).Select(r => r.Header("Cache-Status")!)];
        bool isHit = (await proxy.GetAsync(item.Path)).Header("Cache-Status")!.Contains("hit", StringComparison.Ordinal);
        Assert.Equal(limit is null, isHit);
        Assert.All(said,
            text => Assert.True(text.Contains("hit", StringComparison.Ordinal)
            || text.Contains("; stored", StringComparison.Ordinal) == isHit, text));
    }

    [Fact]
    public async Task CacheStatus_DiskIsFull_DoesNotSayStored()
    {
        var disk = new FaultyDisk();
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(40_000_000).On(upstream);
        await using ProxyUnderTest proxy =
            await ProxyUnderTest.StartOnAsync(disk, new Dictionary<string, string?>(ProxyUnderTest.Patient), upstream);
        disk.WriteFault = FaultyDisk.Full;
        string first = (await proxy.GetAsync(item.Path)).Header("Cache-Status")!;
        string second = (await proxy.GetAsync(item.Path)).Header("Cache-Status")!;
        Assert.True(second.Contains("hit", StringComparison.Ordinal) || !first.Contains("stored", StringComparison.Ordinal),
            $"{first}, then {second}");
    }

    /// <summary>It takes the end of the connection for the end of a body whose length it was not told.</summary>
    [Theory]
    [InlineData("true", 30_000)]
    [InlineData("true", 3_000_000)]
    [InlineData("false", 30_000)]
    [InlineData("false", 3_000_000)]
    public async Task Length_ThatTheStratum1DoesNotTell_IsToldToAClientOfHttp10(string rawPath, int sizeBytes)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(sizeBytes).On(upstream);
        Gate gate = new();
        upstream.Script(item.Path, new UpstreamBehaviour { Chunked = true, BodyGates = [(sizeBytes / 2, gate)] });
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>(ProxyUnderTest.Patient) { ["Proxy:RawPath"] = rawPath }, null, upstream);
        using RawHttpClient old = await proxy.ConnectAsync();
        await old.SendAsync($"GET {item.Path} HTTP/1.0\r\n\r\n");
        await gate.Reached;
        gate.Open();
        RawResponse response = await old.ReadResponseAsync();

        Assert.Equal((200, (long?)sizeBytes, true), (response.Status, response.Head.ContentLength, response.IsComplete));
        Assert.Equal(item.Bytes, response.Body);
    }

    [Theory]
    [InlineData("bytes=2900000-2900099", null, false)]
    [InlineData("bytes=2900000-2900099", "1048576", false)]
    [InlineData("bytes=2900000-2900099", null, true)]
    [InlineData("bytes=-100", null, false)]
    public async Task Range_FarInside_IsAnsweredInTime(string range, string? maxObjectBytes, bool isChunked)
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(3_000_000).On(upstream);
        upstream.Script(item.Path, new UpstreamBehaviour { BytesPerSecond = 600_000, Chunked = isChunked });
        await using ProxyUnderTest proxy =
            await ProxyUnderTest.StartAsync(new Dictionary<string, string?>
            {
                ["Store:MaxObjectBytes"] = maxObjectBytes,
                ["Proxy:AnswerTimeout"] = "00:00:03.750",
            }, null, upstream);
        RawResponse response = await proxy.GetAsync(item.Path, "Range: " + range);
        Assert.True(response.IsComplete);
        Assert.True(response.Status == 200 ? item.Bytes.AsSpan().SequenceEqual(response.Body) : response.Status == 206
            && response.Body.Length == 100, response.Head.StatusLine);
    }

    [Fact]
    public async Task Range_OfABodyThatTurnsOutWrong_IsNeverWholeAndWrong()
    {
        await using ScriptedUpstream bad = ScriptedUpstream.Start();
        await using ScriptedUpstream good = ScriptedUpstream.Start();
        SyntheticObject item = new SyntheticObject(3 << 20).On(bad, good);
        Gate gate = new();
        bad.Script(item.Path, new UpstreamBehaviour { FlipBitAt = 10, BodyGates = [(2 << 20, gate)] });
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(ProxyUnderTest.Patient, null, bad, good);
        using RawHttpClient client = await proxy.ConnectAsync();
        await client.SendAsync(RawHttpClient.Request("GET", item.Path, "Range: bytes=0-99"));
        RawResponseHead head = await client.ReadHeadAsync();
        Assert.Equal(206, head.Status);
        gate.Open();
        (byte[] body, bool isComplete) = await client.ReadBodyAsync(head);
        Assert.True(isComplete ? item.Bytes.AsSpan(0, 100).SequenceEqual(body) : client.WasReset);
    }
}
