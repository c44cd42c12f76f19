using Breakwater.Proxy.Fetching;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Faults;

/// <summary>
/// The whole proxy on a disk that is full, read-only or broken: right bytes all the time, and all is well again when the disk is.
/// </summary>
public sealed class DiskFaultTests : IAsyncLifetime
{
    private readonly FaultyDisk _disk = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private readonly SyntheticObject[] _held;
    private readonly SyntheticObject[] _new;
    private ProxyUnderTest _proxy = null!;

    public DiskFaultTests()
    {
        _held = [.. Sizes(0).Select(s => new SyntheticObject(s, s).On(_upstream))];
        _new = [.. Sizes(1).Select(s => new SyntheticObject(s, s).On(_upstream))];
    }

    public async Task InitializeAsync()
    {
        _proxy = await ProxyUnderTest.StartOnAsync(_disk, new Dictionary<string, string?> { ["Store:CommitInterval"] = "00:00:00.01" },
            _upstream);
        await GetAllAsync(_held);
        await Waiting.UntilAsync(() => _held.All(o => _proxy.Store.Contains(o.Key)), TimeSpan.FromSeconds(60));
        await _proxy.RestartAsync(); // All of it is on the disk.
    }

    public async Task DisposeAsync()
    {
        _disk.WriteFault = _disk.ReadFault = null;
        await _proxy.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData(28, "full")]
    [InlineData(30, "read-only")]
    [InlineData(5, "broken")]
    public async Task Disk_RefusingWrites_ServesHitsAndMissesRightAndStoresAgainByItself(int errno, string what)
    {
        _disk.WriteFault = new IOException(what, errno);
        SyntheticObject first = new SyntheticObject(9_000, 99).On(_upstream);
        Assert.Equal(first.Bytes, (await _proxy.GetAsync(first.Url)).Body);
        await Waiting.UntilAsync(() => _proxy.Store.Statistics.WriteFailure is not null, TimeSpan.FromSeconds(60));

        int asked = _upstream.ObjectRequestCount;
        await GetAllAsync(_held);
        Assert.Equal(asked, _upstream.ObjectRequestCount); // What can be read is served from the disk.
        await GetAllAsync(_new);
        await GetAllAsync(_new);

        _disk.WriteFault = null;
        await Waiting.UntilAsync(() => _proxy.Store.Statistics.WriteFailure is null, TimeSpan.FromSeconds(60)); // Nobody tells it.
        await GetAllAsync(_new);
        await Waiting.UntilAsync(() => _new.All(o => _proxy.Store.Contains(o.Key)), TimeSpan.FromSeconds(60));
        await _proxy.RestartAsync();
        _upstream.Everything = UpstreamBehaviour.WithStatus(503);
        await GetAllAsync(_held);
        await GetAllAsync(_new);
        Assert.Empty((await _proxy.Store.VerifyAsync(null, false, CancellationToken.None)).Damaged);
    }

    [Fact]
    public async Task Disk_FailingReads_ObjectsComeFromUpstreamRight()
    {
        _disk.ReadFault = FaultyDisk.InputOutput;
        await GetAllAsync(_held);
        await GetAllAsync(_new);

        _disk.ReadFault = null;
        await GetAllAsync(_held);
        await Waiting.UntilAsync(() => _held.All(o => _proxy.Store.Contains(o.Key)), TimeSpan.FromSeconds(60));
        int asked = _upstream.ObjectRequestCount;
        await GetAllAsync(_held);
        Assert.Equal(asked, _upstream.ObjectRequestCount);
    }

    /// <summary>A client takes its time, and what it is to get has gone to a disk by then that does not give it back.</summary>
    [Theory]
    [InlineData]
    [InlineData("Range: bytes=0-")] // the ordinary way
    [InlineData("Range: bytes=100-6000000")]
    public async Task Disk_FailingReads_AnswersUnderWayEndRight(params string[] headers)
    {
        SyntheticObject item = new SyntheticObject(6 << 20, 98).On(_upstream);
        _disk.ReadFault = FaultyDisk.InputOutput;
        using RawHttpClient client = await RawHttpClient.ConnectShortAsync(_proxy.EndPoint);
        await client.SendAsync(RawHttpClient.Request("GET", item.Url, headers));
        RawResponseHead head = await client.ReadHeadAsync();
        await Waiting.UntilAsync(() => _proxy.Services.GetRequiredService<FetchCoordinator>().InFlight.Count == 0);

        (byte[] body, bool isComplete) = await client.ReadBodyAsync(head);

        Assert.Equal((headers.Length == 0 ? 200 : 206, true), (head.Status, isComplete));
        int from = headers.Length > 0 && headers[0].Contains("100-", StringComparison.Ordinal) ? 100 : 0;
        Assert.True(item.Bytes.AsSpan(from, body.Length).SequenceEqual(body));
    }

    private static IEnumerable<int> Sizes(int offset) =>
        [200 + offset, 40_000 + offset, 300_000 + offset, (1 << 20) + 7 + offset, (3 << 20) + offset];

    private async Task GetAllAsync(SyntheticObject[] items)
    {
        foreach (SyntheticObject item in items)
        {
            RawResponse response = await _proxy.GetAsync(item.Url);
            Assert.Equal((200, true), (response.Status, response.IsComplete));
            Assert.True(item.Bytes.AsSpan().SequenceEqual(response.Body));
        }
    }
}
