using Breakwater.CacheStore;
using Breakwater.Proxy.Exchanges;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.Caching;
using Breakwater.Proxy.Tests.Upstreams;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Exchanges;

/// <summary>Whether an origin is asked: what others have brought, and what is good enough for now.</summary>
public sealed class ExchangeCoordinatorTests(SliceStore store) : IClassFixture<SliceStore>
{
    private readonly string _path = $"/{Guid.NewGuid():N}";

    /// <summary>Whoever is to ask looks once more: an earlier request may have brought the answer meanwhile.</summary>
    [Theory]
    [InlineData(60, "Joined", 0)]
    [InlineData(0, "Fetched", 1)]
    public async Task Get_WhatCameMeanwhile_IsTheAnswerIfItIsFresh(int seconds, string origin, int requests)
    {
        await using var bench = new OriginBench(store);
        bench.Origin.Put(_path, []);
        Exchange exchange = bench.Exchange(_path);
        ExchangeCoordinator coordinator = Coordinator(
            bench, () => bench.Heads.Put(exchange.Target.Uri, Headers.Stored($"Cache-Control: max-age={seconds}", length: 0)));

        ExchangeAnswer answer = await coordinator.AnswerAsync(exchange, null, default).InTimeAsync();

        Assert.Equal((origin, 0L, requests), (answer.Origin.ToString(), answer.Head?.Length, bench.Origin.Requests.Count));
        await bench.AtRestAsync();
    }

    /// <summary>What may be used while it is checked goes out at once, and the origin is asked whether it is still so.</summary>
    [Theory]
    [InlineData(9, 0)]
    [InlineData(10, 1)]
    public async Task Get_WhatMayBeUsedMeanwhile_IsCheckedBehindTheAnswer(int seconds, int requests)
    {
        await using var bench = new OriginBench(store);
        bench.Origin.Put(_path, []);
        Exchange exchange = bench.Exchange(_path);
        bench.Heads.Put(
            exchange.Target.Uri, Headers.Stored("ETag: \"a\"|Cache-Control: max-age=10, stale-while-revalidate=60", length: 0));
        bench.Time.Advance(TimeSpan.FromSeconds(seconds));

        ExchangeAnswer answer = await Coordinator(bench).AnswerAsync(exchange, null, default).InTimeAsync();

        Assert.Equal((AnswerOrigin.Hit, "\"a\""), (answer.Origin, answer.Head?.Fields.Only("ETag")));
        await Waiting.UntilAsync(() =>
            requests == 0 || bench.Heads.Find(exchange.Target.Uri)?.Newest?.ReceivedAt == Headers.Now.AddSeconds(seconds));
        Assert.Equal(requests, bench.Origin.Requests.Count);
        await bench.AtRestAsync();
    }

    /// <summary>That a body has no such part says nothing to one who wants another part of it.</summary>
    [Fact]
    public async Task Get_OfAPart_DoesNotShareWhatWasSaidOfAnotherPart()
    {
        await using var bench = new OriginBench(store);
        var gate = new Gate();
        bench.Origin.Put(_path, "0123456789"u8.ToArray());
        bench.Origin.ScriptNext(
            _path, [new UpstreamBehaviour { Status = 416, HeadGate = gate, ExtraHeaders = ["Cache-Control: max-age=60"] }]);
        var flights = new FlightTable(bench.Time);
        ExchangeCoordinator coordinator = Coordinator(bench, flights: flights);
        Task<ExchangeAnswer> beyond = coordinator.AnswerAsync(bench.Exchange(_path, fields: "Range: bytes=100-200"), null, default);
        Task<ExchangeAnswer> within = coordinator.AnswerAsync(bench.Exchange(_path, fields: "Range: bytes=2-4"), null, default);
        await Waiting.UntilAsync(() => flights.Waiting == 2);
        gate.Open();

        ExchangeAnswer none = await beyond.InTimeAsync();
        ExchangeAnswer some = await within.InTimeAsync();
        Assert.Equal((416, 206), (none.Head?.Status, some.Live?.Status));
        some.Live!.Dispose();
        await (none.Feed?.Completion.Task ?? Task.CompletedTask).InTimeAsync();
        await bench.AtRestAsync();
    }

    /// <summary>Whoever wants the whole waits for nobody who asks for a part: that answer is not what is wanted.</summary>
    [Fact]
    public async Task Get_OfTheWholeWhileAPartIsAsked_DoesNotWaitForThePart()
    {
        await using var bench = new OriginBench(store, places: 4);
        var gate = new Gate();
        bench.Origin.Put(_path, "0123456789"u8.ToArray());
        bench.Origin.ScriptNext(_path, [UpstreamBehaviour.WaitsBeforeHead(gate)]);
        ExchangeCoordinator coordinator = Coordinator(bench);
        Task<ExchangeAnswer> part = coordinator.AnswerAsync(bench.Exchange(_path, fields: "Range: bytes=2-4"), null, default);
        await gate.Reached;

        ExchangeAnswer whole = await coordinator.AnswerAsync(bench.Exchange(_path), null, default).InTimeAsync();

        Assert.Equal((AnswerOrigin.Fetched, 200, 10L), (whole.Origin, whole.Head?.Status, whole.Head?.Length));
        Assert.False(part.IsCompleted);
        gate.Open();
        ExchangeAnswer some = await part.InTimeAsync();
        foreach (ExchangeAnswer answer in (ExchangeAnswer[])[whole, some])
        {
            answer.Live?.Dispose();
            await (answer.Feed?.Completion.Task ?? Task.CompletedTask).InTimeAsync();
        }

        await bench.AtRestAsync();
    }

    private ExchangeCoordinator Coordinator(OriginBench bench, Action? meanwhile = null, FlightTable? flights = null) => new(
        bench.Fetch, bench.Starts, new StoredBodies(bench.Parts, bench.Feeds, store.Named), bench.Heads,
        flights ?? new FlightTable(bench.Time), new NodeAsker(new NobodyElse(meanwhile), bench.Time), new ProxyOptions(), bench.Time);

    /// <summary>A site in which no other node is asked; something happens when it is asked for one.</summary>
    private sealed class NobodyElse(Action? meanwhile) : FewNodes
    {
        public override IReadOnlyList<Stratum1> Before(string name)
        {
            meanwhile?.Invoke();
            return [];
        }
    }
}
