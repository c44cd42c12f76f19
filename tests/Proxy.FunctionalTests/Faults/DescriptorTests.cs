using System.Net.Sockets;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Faults;

/// <summary>
/// More clients than the process may open descriptors for: the last are sent away, all others are served, hits and misses.
/// </summary>
[Collection(ServeProcess.OneAtATime)]
public sealed class DescriptorTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private readonly SyntheticObject[] _items;

    public DescriptorTests() => _items = [.. Enumerable.Range(0, 40).Select(i => new SyntheticObject(10_000 + i, i).On(_upstream))];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _upstream.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Descriptors_MoreClientsThanTheyAllow_TheLastAreClosedTheOthersServedAndNewOnesLater()
    {
        await using ServeProcess proxy = await StartAsync(800);
        List<RawHttpClient> clients = [];
        for (int i = 0; i < 600; i++)
        {
            clients.Add(await RawHttpClient.ConnectAsync(proxy.EndPoint));
        }

        int served = 0;
        foreach ((int i, RawHttpClient client) in clients.Index())
        {
            SyntheticObject item = _items[i % _items.Length];
            try
            {
                Assert.Equal(item.Bytes, (await client.GetAsync(item.Url)).Body);
                served++;
            }
            catch (Exception e) when (e is EndOfStreamException or SocketException)
            {
                // One of those that were too many.
            }
        }

        Assert.InRange(served, 48, 500); // four fifths of the fewest: they are all one client's
        Assert.True(proxy.Descriptors().Count < 800);
        foreach (SyntheticObject item in _items)
        {
            Assert.Equal(item.Bytes, (await clients[0].GetAsync(item.Url)).Body);
        }

        clients.ForEach(c => c.Dispose());
        int good = 0;
        await Waiting.UntilAsync(async () =>
        {
            // Until it has seen that the others left, one more is still too many.
            try
            {
                using RawHttpClient fresh = await RawHttpClient.ConnectAsync(proxy.EndPoint);
                Assert.Equal(_items[good].Bytes, (await fresh.GetAsync(_items[good].Url)).Body);
                good++;
            }
            catch (Exception e) when (e is EndOfStreamException or SocketException)
            {
            }

            return good == _items.Length;
        });

        Assert.Equal(0, await proxy.TerminateAsync());
    }

    [Fact]
    public async Task Descriptors_TooFewToWork_TheStartIsRefusedWithTheNumber()
    {
        InvalidOperationException refused = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(300));

        Assert.Contains("may open 300 files and needs", refused.Message, StringComparison.Ordinal);
    }

    private Task<ServeProcess> StartAsync(int openFiles) => ServeProcess.StartLimitedAsync(
        openFiles, _directory.Combine("store"), [_upstream], null,
        [("Proxy:MaxConcurrentFetches", "16"), ("Store:QuotaBytes", "268435456")]);
}
