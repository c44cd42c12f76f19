using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.HitPath;

/// <summary>
/// Answers that a loop sends while their object is being fetched: to a crowd, whose first bytes go out before the last ones have come.
/// </summary>
public sealed class GrowingAnswerTests : IAsyncLifetime
{
    private const int Crowd = 40;
    private const int FirstBytes = 64 << 10;

    private readonly ScriptedUpstream _first = ScriptedUpstream.Start();
    private readonly ScriptedUpstream _second = ScriptedUpstream.Start();
    private readonly List<RawHttpClient> _clients = [];
    private readonly Gate _gate = new();
    private ProxyUnderTest _proxy = null!;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _gate.Open();
        _clients.ForEach(client => client.Dispose());
        await _proxy.DisposeAsync();
        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }

    [Fact]
    public async Task AnotherRequestIsBehindIt_BothAnswersAreWholeAndInOrder()
    {
        SyntheticObject item = await BeginAsync(new UpstreamBehaviour { BodyGates = [(300_000, _gate)] });
        SyntheticObject small = new SyntheticObject(20_000, seed: 2).On(_first);
        await _clients[0].SendAsync(RawHttpClient.Request("GET", small.Path));
        await _clients[0].SendAsync(RawHttpClient.Request("GET", item.Path));
        _gate.Open();

        await AllAreWholeAsync(item);
        Assert.Equal(small.Bytes, (await _clients[0].ReadResponseAsync()).Body);
        Assert.Equal(item.Bytes, (await _clients[0].ReadResponseAsync()).Body);
        Assert.Equal(1, _first.RequestCount(item.Path));
    }

    [Fact]
    public async Task SomeLeave_TheOthersGetAll()
    {
        SyntheticObject item = await BeginAsync(new UpstreamBehaviour { BodyGates = [(300_000, _gate)] });
        for (int i = 0; i < Crowd / 2; i++)
        {
            _clients[0].Reset();
            _clients.RemoveAt(0);
        }

        _gate.Open();
        await AllAreWholeAsync(item);
        Assert.Equal(1, _first.RequestCount(item.Path));
        RequestRecorder recorder = _proxy.Services.GetRequiredService<RequestRecorder>();
        await Waiting.UntilAsync(() => recorder.TotalOf(RequestResult.ClientGone).Requests >= Crowd / 2);
    }

    [Fact]
    public async Task WhatWentOutWasRightAndTheRestIsWrong_TheyGetAllFromAnotherStratum1()
    {
        SyntheticObject item = await BeginAsync(new UpstreamBehaviour { BodyGates = [(300_000, _gate)], FlipBitAt = (3 << 20) - 10 });
        _gate.Open();

        await AllAreWholeAsync(item);
        Assert.Equal(1, _second.RequestCount(item.Path));
        Assert.Equal(item.Bytes, await _proxy.ReadStoredAsync(item.Key));
    }

    [Fact]
    public async Task WhatWentOutWasWrong_TheyAreCut()
    {
        SyntheticObject item = await BeginAsync(new UpstreamBehaviour { BodyGates = [(300_000, _gate)], FlipBitAt = 10 });
        _gate.Open();

        foreach (RawHttpClient client in _clients)
        {
            RawResponseHead rest = new("", 200, [$"Content-Length: {item.Bytes.Length - FirstBytes}"]);
            Assert.False((await client.ReadBodyAsync(rest)).IsComplete);
        }

        Assert.Equal(item.Bytes, (await _proxy.GetAsync(item.Url)).Body);
    }

    [Fact]
    public async Task TheStoreDoesNotTakeIt_TheyGetAllOfIt()
    {
        SyntheticObject item =
            await BeginAsync(new UpstreamBehaviour { BodyGates = [(300_000, _gate)] },
            new() { ["Store:MaxObjectBytes"] = (1 << 20).ToString(System.Globalization.CultureInfo.InvariantCulture) });
        _gate.Open();

        await AllAreWholeAsync(item);
        Assert.Null(await _proxy.ReadStoredAsync(item.Key));
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task TheStoreDoesNotTakeItAndLittleMemoryIsLeft_FastReadersGetAllOfIt(string rawPath)
    {
        _proxy = await ProxyUnderTest.StartAsync(
            new Dictionary<string, string?>(ProxyUnderTest.Patient)
            {
                ["Store:MaxObjectBytes"] = "1048576",
                ["Proxy:MaxUnstoredBytes"] = "2097152",
                ["Proxy:RawPath"] = rawPath
            }, null, _first);
        SyntheticObject item = new SyntheticObject(20 << 20).On(_first);
        _first.Script(item.Path, UpstreamBehaviour.WaitsBeforeHead(_gate));
        for (int i = 0; i < Crowd; i++)
        {
            _clients.Add(await _proxy.ConnectAsync());
            await _clients[i].SendAsync(RawHttpClient.Request("GET", item.Url));
        }

        await _gate.Reached;
        FetchCoordinator fetches = _proxy.Services.GetRequiredService<FetchCoordinator>();
        await Waiting.UntilAsync(() => fetches.InFlight.Sum(f => f.Followers) == Crowd);
        _gate.Open();
        RawResponse[] answers = await Task.WhenAll(_clients.Select(client => client.ReadResponseAsync()));
        Assert.All(answers,
            answer => Assert.True(answer is { Status: 200, IsComplete: true } && item.Bytes.AsSpan().SequenceEqual(answer.Body)));
        Assert.Equal(1, _first.RequestCount(item.Path));
    }

    /// <summary>
    /// A crowd asks for an object of 3 MiB, and has the first bytes of it when this returns; the rest is behind the gate.
    /// </summary>
    private async Task<SyntheticObject> BeginAsync(UpstreamBehaviour behaviour, Dictionary<string, string?>? settings = null)
    {
        _proxy = await ProxyUnderTest.StartAsync(new Dictionary<string, string?>(ProxyUnderTest.Patient.Concat(settings ?? [])), null,
            _first, _second);
        SyntheticObject item = new SyntheticObject(3 << 20).On(_first, _second);
        _first.Script(item.Path, behaviour);
        for (int i = 0; i < Crowd; i++)
        {
            _clients.Add(await _proxy.ConnectAsync());
            await _clients[i].SendAsync(RawHttpClient.Request("GET", i % 2 == 0 ? item.Url : item.Path));
        }

        await _gate.Reached;
        foreach (RawHttpClient client in _clients)
        {
            RawResponseHead head = await client.ReadHeadAsync();
            Assert.Equal((200, item.Bytes.Length), (head.Status, head.ContentLength));
            byte[] begun = await client.ReadExactlyAsync(FirstBytes);
            Assert.True(behaviour.FlipBitAt < FirstBytes || item.Bytes.AsSpan(0, FirstBytes).SequenceEqual(begun));
        }

        Assert.False(_gate.Opened.IsCompleted);
        return item;
    }

    private async Task AllAreWholeAsync(SyntheticObject item)
    {
        byte[][] rests = await Task.WhenAll(_clients.Select(client => client.ReadExactlyAsync(item.Bytes.Length - FirstBytes)));
        Assert.All(rests, rest => Assert.True(item.Bytes.AsSpan(FirstBytes).SequenceEqual(rest)));
    }
}
