using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Serving;

/// <summary>
/// Answers from the store: their heads to the byte, and what happens when the stored copy is damaged, seen by the client or not.
/// </summary>
public sealed class StoredCopyTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private readonly TemporaryDirectory _directory = new();

    private string Store => _directory.Combine("store");

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _upstream.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("true", "bytes=10-19", 10, 10)]
    [InlineData("true", "bytes=49990-", 49_990, 10)]
    [InlineData("true", "bytes=-7", 49_993, 7)]
    [InlineData("true", "bytes=49999-60000", 49_999, 1)]
    [InlineData("true", "bytes=0-0", 0, 1)]
    [InlineData("false", "bytes=10-19", 10, 10)]
    [InlineData("false", "bytes=-7", 49_993, 7)]
    public async Task Range_OfAMissAndOfAHit_HasTheRightFieldsAndBytes(string rawPath, string range, int offset, int count)
    {
        SyntheticObject item = new SyntheticObject(50_000).On(_upstream);
        await using ProxyUnderTest proxy = await StartAsync(rawPath);
        for (int i = 0; i < 2; i++)
        {
            RawResponse part = await proxy.GetAsync(item.Url, "Range: " + range);
            Assert.Equal((206, $"bytes {offset}-{offset + count - 1}/50000", (long?)count),
                (part.Status, part.Header("Content-Range"), part.Head.ContentLength));
            Assert.Equal(item.Bytes.AsSpan(offset, count).ToArray(), part.Body);
        }

        RawResponse beyond = await proxy.GetAsync(item.Url, "Range: bytes=50000-");
        Assert.Equal((416, "bytes */50000", 0), (beyond.Status, beyond.Header("Content-Range"), beyond.Body.Length));
        Assert.Equal(1, _upstream.RequestCount(item.Path));
    }

    [Theory]
    [InlineData("Cache-Control: no-cache")]
    [InlineData("Cache-Control: max-age=0, No-Cache")]
    [InlineData("Pragma: no-cache")]
    public async Task NoCache_StoredCopyIsDamaged_IsFetchedAnewOnceAndAGoodOneIsKept(string field)
    {
        SyntheticObject item = new SyntheticObject(50_000).On(_upstream);
        await using ProxyUnderTest proxy = await StartAsync("true");
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
        await Waiting.UntilAsync(() => proxy.Store.List().Any()); // read from the disk from now on
        StoreFiles.Flip(Store, item.Bytes);

        RawResponse healed = await proxy.GetAsync(item.Url, field);
        Assert.Equal((200, true), (healed.Status, healed.IsComplete));
        Assert.Equal(item.Bytes, healed.Body);
        Assert.Equal(2, _upstream.RequestCount(item.Path));

        for (int i = 0; i < 2; i++)
        {
            RawResponse kept = await proxy.GetAsync(item.Url, field);
            Assert.Equal(item.Bytes, kept.Body);
            Assert.Contains("; hit", kept.Header("Cache-Status"), StringComparison.Ordinal);
        }

        Assert.Equal(2, _upstream.RequestCount(item.Path));
        Assert.Equal(item.Bytes, await proxy.ReadStoredAsync(item.Key));
    }

    [Theory]
    [InlineData("true", null)]
    [InlineData("false", null)]
    [InlineData("true", "bytes=100-")]
    [InlineData("false", "bytes=100-")]
    [InlineData("false", "bytes=100-1900000")]
    public async Task Damage_InALaterPart_TheAnswerGoesOnWithTheRightBytes(string rawPath, string? range)
    {
        SyntheticObject item = new SyntheticObject(2 << 20).On(_upstream);
        await using ProxyUnderTest proxy = await StartAsync(rawPath);
        Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body);
        await Waiting.UntilAsync(() => proxy.Store.List().Any());
        await proxy.RestartAsync(); // what was checked is checked again
        StoreFiles.Flip(Store, item.Bytes);

        RawResponse answer = await proxy.GetAsync(item.Url, range is null ? [] : ["Range: " + range]);
        Assert.Equal((range is null ? 200 : 206, true), (answer.Status, answer.IsComplete));
        byte[] expected = range is null ? item.Bytes : range.EndsWith('-') ? item.Bytes[100..] : item.Bytes[100..1_900_001];
        Assert.True(expected.AsSpan().SequenceEqual(answer.Body), "other bytes");
        Assert.Equal(2, _upstream.RequestCount(item.Path));
        await Waiting.UntilAsync(() => proxy.Store.Contains(item.Key));
        Assert.Equal(item.Bytes, await proxy.ReadStoredAsync(item.Key));
    }

    private Task<ProxyUnderTest> StartAsync(string rawPath) =>
        ProxyUnderTest.StartAsync(
        new Dictionary<string, string?>(ProxyUnderTest.Patient) { ["Proxy:RawPath"] = rawPath, ["Store:Path"] = Store }, null, _upstream);
}
