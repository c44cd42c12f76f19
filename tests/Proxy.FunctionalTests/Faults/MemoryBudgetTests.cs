using System.Globalization;
using Breakwater.CacheStore.Spooling;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Faults;

/// <summary>
/// Bodies that the store does not take, and clients that do not fetch them: the memory for it is bounded, and nobody waits for those who
/// stand still.
/// </summary>
[Collection(ServeProcess.OneAtATime)]
public sealed class MemoryBudgetTests : IAsyncLifetime
{
    private const int Mebibyte = 1 << 20;

    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private readonly TemporaryDirectory _directory = new();
    private readonly List<RawHttpClient> _clients = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        await _upstream.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task TwentyObjectsThatTheStoreDoesNotTake_ClientsThatStandStill_MemoryStaysWithinTheBudget()
    {
        const int Count = 20;
        const int Size = 16 * Mebibyte;
        const int Budget = 16 * Mebibyte;
        await using ServeProcess proxy = await ServeProcess.StartAsync(
            _directory.Combine("store"), [_upstream], null, ("Store:MaxObjectBytes", Text(Mebibyte)),
            ("Proxy:MaxUnstoredBytes", Text(Budget)));
        SyntheticObject first = new SyntheticObject(2 * Mebibyte, seed: 1000).On(_upstream);
        Assert.Equal(first.Bytes, (await RawHttpClient.GetOnceAsync(proxy.EndPoint, first.Url)).Body); // warmed up
        long before = AnonymousBytes(proxy);

        SyntheticObject[] items = [.. Enumerable.Range(1, Count).Select(seed => new SyntheticObject(Size, seed).On(_upstream))];
        foreach (SyntheticObject item in items)
        {
            RawHttpClient client = await ConnectAsync(proxy.EndPoint);
            await client.SendAsync(RawHttpClient.Request("GET", item.Url));
        }

        long most = 0;
        long began = Environment.TickCount64;
        await Waiting.UntilAsync(() =>
        {
            most = Math.Max(most, AnonymousBytes(proxy));
            return _upstream.ObjectRequestCount > Count && Environment.TickCount64 - began > 3_000; // all fetches run
        });

        // Without a budget 320 MiB and more. The budget; 1 MiB of each fetch for its own and 1 MiB that the store had taken before it found
        // the object too long; buffers and garbage.
        Assert.InRange(most - before, 0, Budget + (2 * Count * Mebibyte) + (200 * Mebibyte));

        RawResponse[] answers = await Task.WhenAll(_clients.Select(client => client.ReadResponseAsync()));
        foreach ((SyntheticObject item, RawResponse answer) in items.Zip(answers))
        {
            // Who stood still for five seconds, as on a busy machine, may be cut; nobody gets a wrong byte, or all of it without an end.
            Assert.Equal(200, answer.Status);
            Assert.True(item.Bytes.AsSpan().StartsWith(answer.Body));
            Assert.Equal(answer.Body.Length == Size, answer.IsComplete);
        }

        Assert.Equal(first.Bytes, (await RawHttpClient.GetOnceAsync(proxy.EndPoint, first.Url)).Body);
        Assert.Equal(0, await proxy.TerminateAsync());
    }

    [Fact]
    public async Task RangeOfTheEnd_OfAnObjectThatTheStoreDoesNotTake_IsServedThoughItsBeginningHasLeftMemory()
    {
        FaultyDisk disk = new();
        await using ProxyUnderTest proxy = await StartOnFullDiskAsync(disk);
        SyntheticObject item = new SyntheticObject(8 * Mebibyte).On(_upstream);

        RawResponse part = await proxy.GetAsync(item.Url, $"Range: bytes={item.Bytes.Length - 1_000}-");

        Assert.Equal((206, true), (part.Status, part.IsComplete));
        Assert.Equal(item.Bytes[^1_000..], part.Body);
        Assert.Equal(1, _upstream.RequestCount(item.Path));
        disk.WriteFault = null; // What waits for the disk is given back.
    }

    [Fact]
    public async Task SomeFollowersStandStill_TheOthersGetAllOfIt()
    {
        FaultyDisk disk = new();
        await using ProxyUnderTest proxy = await StartOnFullDiskAsync(disk);
        SyntheticObject item = new SyntheticObject(24 * Mebibyte).On(_upstream);
        for (int i = 0; i < 4; i++)
        {
            RawHttpClient client = await ConnectAsync(proxy.EndPoint);
            await client.SendAsync(RawHttpClient.Request("GET", item.Url));
        }

        RawResponse[] answers = await Task.WhenAll(_clients.Skip(2).Select(client => client.ReadResponseAsync()));
        Assert.All(answers, answer => Assert.True(answer.IsComplete && item.Bytes.AsSpan().SequenceEqual(answer.Body)));
        foreach (RawHttpClient still in _clients.Take(2))
        {
            // What it missed has left memory: it is cut, or has all of it from its socket.
            RawResponse cut = await still.ReadResponseAsync();
            Assert.Equal(cut.IsComplete, item.Bytes.AsSpan().SequenceEqual(cut.Body));
        }

        OverflowBudget budget = proxy.Services.GetRequiredService<OverflowBudget>();
        await Waiting.UntilAsync(() => budget.Taken == 0);

        disk.WriteFault = null;
        await Waiting.UntilAsync(async () =>
        {
            Assert.Equal(item.Bytes, (await proxy.GetAsync(item.Url)).Body); // by itself, soon, it is stored again
            return proxy.Store.Contains(item.Key);
        });
        _clients.ForEach(client => client.Dispose());
    }

    private async Task<ProxyUnderTest> StartOnFullDiskAsync(FaultyDisk disk)
    {
        ProxyUnderTest proxy = await ProxyUnderTest.StartOnAsync(
            disk, new Dictionary<string, string?> { ["Proxy:MaxUnstoredBytes"] = Text(Mebibyte), ["Store:CommitInterval"] = "00:00:00.01" },
            _upstream);
        disk.WriteFault = FaultyDisk.Full;
        SyntheticObject probe = new SyntheticObject(9_000, seed: 2).On(_upstream);
        Assert.Equal(probe.Bytes, (await proxy.GetAsync(probe.Url)).Body);
        await Waiting.UntilAsync(() => proxy.Store.Statistics.WriteFailure is not null);

        return proxy;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static long AnonymousBytes(ServeProcess proxy)
    {
        string line = File.ReadLines($"/proc/{proxy.Id}/status").Single(line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^2],
            CultureInfo.InvariantCulture) << 10;
    }

    /// <summary>A client whose kernel takes little on its behalf.</summary>
    private async Task<RawHttpClient> ConnectAsync(System.Net.IPEndPoint server)
    {
        RawHttpClient client = await RawHttpClient.ConnectAsync(server);
        client.Socket.ReceiveBufferSize = 16 << 10;
        _clients.Add(client);
        return client;
    }
}
