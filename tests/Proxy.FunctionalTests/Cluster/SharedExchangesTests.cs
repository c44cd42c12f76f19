using System.Text;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.FunctionalTests.Http;
using Breakwater.TestSupport;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Cluster;

/// <summary>Ordinary HTTP of several nodes: a URL is asked of its origin once a site, and what is for one client is not shared.</summary>
public sealed class SharedExchangesTests : IAsyncLifetime
{
    private const string Host = "h.example.org";

    private readonly ScriptedUpstream _stratum1 = ScriptedUpstream.Start();
    private readonly byte[] _file = new SyntheticObject((3 << 20) + 77).Bytes;
    private HttpOrigin _origin = null!;
    private SiteOfNodes _site = null!;

    public async Task InitializeAsync()
    {
        _origin = await HttpOrigin.StartAsync(context => HttpOrigin.ServeAsync(context, _file, "\"a\"", "max-age=600"));
        _site = await SiteOfNodes.StartAsync(2, [_stratum1], _ => new() { ["Http:Sites:*:Origin"] = _origin.Address });
    }

    public async Task DisposeAsync()
    {
        await _site.DisposeAsync();
        await _origin.DisposeAsync();
        await _stratum1.DisposeAsync();
    }

    [Fact]
    public async Task Url_AskedOfBothNodesByMany_IsAskedOfItsOriginOnceAndStoredOnBoth()
    {
        var gate = new Gate();
        _origin.Answer = async context =>
        {
            await gate.Opened.InTimeAsync();
            await HttpOrigin.ServeAsync(context, _file, "\"a\"", "max-age=600");
        };
        Task<RawResponse>[] asked = [.. Enumerable.Range(0, 10).Select(i => AskAsync(i % 2, "/f"))];

        // Five on each node, and the node that asks the owner.
        await Waiting.UntilAsync(() => Waiters(0) + Waiters(1) == 11);
        gate.Open();
        RawResponse[] answers = await Task.WhenAll(asked).InTimeAsync();
        RawResponse[] later = [await AskAsync(0, "/f"), await AskAsync(1, "/f", "Range: bytes=2000000-2000009\r\n")];

        Assert.All(answers, answer => Assert.True(answer.IsComplete && answer.Body.AsSpan().SequenceEqual(_file)));
        Assert.Equal((200, 206), (later[0].Status, later[1].Status));
        Assert.Equal(_file[2_000_000..2_000_010], later[1].Body);
        Assert.All(later, answer => Assert.Contains(answer.Head.Headers, line =>
            line.StartsWith("Cache-Status:", StringComparison.OrdinalIgnoreCase) && line.Contains("; hit", StringComparison.Ordinal)));
        Assert.Equal(["GET /f"], _origin.Asked);
    }

    [Fact]
    public async Task Url_WithoutALength_ComesWholeByTheOwner()
    {
        _origin.Answer = async context =>
        {
            context.Response.Headers.CacheControl = "max-age=600";
            await context.Response.Body.WriteAsync(_file.AsMemory(0, 100_000));
        };

        RawResponse[] answers = [await AskAsync(NotOwnerOf("/f"), "/f"), await AskAsync(OwnerOf("/f"), "/f")];

        Assert.All(answers, answer => Assert.True(answer.IsComplete && answer.Body.AsSpan().SequenceEqual(_file.AsSpan(0, 100_000))));
        Assert.Equal(["GET /f"], _origin.Asked);
    }

    [Fact]
    public async Task Head_PastItsLifetime_IsRevalidatedOnceASite()
    {
        _origin.Answer = context => HttpOrigin.ServeAsync(context, _file, "\"a\"", _origin.Asked.Length > 1 ? "max-age=600" : "max-age=0");
        await AskAsync(0, "/f");
        await AskAsync(1, "/f");
        int before = _origin.Asked.Length;

        RawResponse[] answers = [await AskAsync(NotOwnerOf("/f"), "/f"), await AskAsync(OwnerOf("/f"), "/f")];

        Assert.All(answers, answer => Assert.True(answer.Body.AsSpan().SequenceEqual(_file)));
        Assert.Equal("GET /f", _origin.Asked[0]);
        Assert.All(_origin.Asked[1..], asked => Assert.Equal("GET /f \"a\"", asked));
        Assert.InRange(_origin.Asked.Length - before, 0, 1);
    }

    [Fact]
    public async Task Range_OfAColdFile_ComesByTheOwnerAndIsFetchedOnce()
    {
        foreach (int node in (int[])[NotOwnerOf("/f"), OwnerOf("/f")])
        {
            RawResponse part = await AskAsync(node, "/f", "Range: bytes=1500000-1500099\r\n");
            Assert.Equal(206, part.Status);
            Assert.Equal(_file[1_500_000..1_500_100], part.Body);
        }

        Assert.Single(_origin.Asked);
        RawResponse whole = await AskAsync(NotOwnerOf("/f"), "/f");
        Assert.True(whole.IsComplete && whole.Body.AsSpan().SequenceEqual(_file));
    }

    [Theory]
    [InlineData("Authorization: Basic eDp5\r\n")]
    [InlineData("Cookie: session=1\r\n")]
    [InlineData("Cache-Control: no-store\r\n")]
    [InlineData("X-Api-Key: 1\r\n")]
    public async Task Request_WithASecret_GoesToTheOriginByNoOtherNode(string field)
    {
        RawResponse answer = await AskAsync(NotOwnerOf("/f"), "/f", field);

        Assert.True(answer.Body.AsSpan().SequenceEqual(_file));
        Assert.Equal(0, Served(OwnerOf("/f")));
    }

    [Fact]
    public async Task Answer_ForOneClient_IsStoredByNoNode()
    {
        int count = 0;
        _origin.Answer = context =>
        {
            context.Response.Headers.CacheControl = "private, max-age=600";
            return context.Response.Body.WriteAsync(Encoding.ASCII.GetBytes($"for {Interlocked.Increment(ref count)}")).AsTask();
        };

        RawResponse[] answers = [await AskAsync(NotOwnerOf("/f"), "/f"), await AskAsync(OwnerOf("/f"), "/f"),
            await AskAsync(NotOwnerOf("/f"), "/f")];

        Assert.Equal(3, answers.Select(answer => Encoding.ASCII.GetString(answer.Body)).Distinct().Count());
        Assert.Equal(3, count);
    }

    [Fact]
    public async Task Owner_Gone_TheOtherAsksTheOriginItself()
    {
        int left = NotOwnerOf("/f");
        await _site.StopAsync(1 - left);

        RawResponse answer = await AskAsync(left, "/f");

        Assert.True(answer.IsComplete && answer.Body.AsSpan().SequenceEqual(_file));
        Assert.Equal(["GET /f"], _origin.Asked);
    }

    [Fact]
    public async Task Origin_ThatTheOwnerDoesNotReach_IsAskedByTheNodeThatWasAsked()
    {
        await _site.DisposeAsync();
        int owner = new Ring([new("n0"), new("n1")]).Owner(KeyOf("/f"))!.Id == "n0" ? 0 : 1;
        _site = await SiteOfNodes.StartAsync(2, [_stratum1], node => new()
        {
            ["Http:Sites:*:Origin"] = node == owner ? "http://127.0.0.1:9" : _origin.Address,
        });

        RawResponse answer = await AskAsync(1 - owner, "/f");

        Assert.True(answer.IsComplete && answer.Body.AsSpan().SequenceEqual(_file));
        Assert.Equal(0, _site[1 - owner].Services.GetRequiredService<NodeStrikes>().Total);
    }

    [Fact]
    public async Task Fields_OfAClient_AreNeverTakenForThoseOfANode()
    {
        RawResponse answer = await AskAsync(NotOwnerOf("/f"), "/f",
            "Breakwater-Node: id=n9;site=elsewhere\r\nBreakwater-Question: x\r\nBreakwater-Errand: 0 127.0.0.1\r\n");

        Assert.Equal(200, answer.Status);
        Assert.Equal(1, Served(OwnerOf("/f")));
    }

    [Fact]
    public async Task OppositeViews_EachTakesTheOtherForTheOwner_NobodyWaitsForEver()
    {
        using var over = new CancellationTokenSource();
        Task confusing = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                _site.TakeTheOtherForTheOwnerOfAll(0);
                _site.TakeTheOtherForTheOwnerOfAll(1);
                await Task.Yield();
            }
        });
        RawResponse[] answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => AskAsync(i % 2, $"/f{i / 2}"))).InTimeAsync();
        await over.CancelAsync();
        await confusing.InTimeAsync();

        Assert.All(answers, answer => Assert.True(answer.IsComplete && answer.Body.AsSpan().SequenceEqual(_file)));
    }

    private static ulong KeyOf(string path) => Ring.KeyOf($"site:http://{Host}{path}");

    private int OwnerOf(string path) => _site.OwnerOf(KeyOf(path));

    private int NotOwnerOf(string path) => 1 - OwnerOf(path);

    private int Waiters(int node) => ExchangeTests.Waiters(_site[node]);

    private long Served(int node) => _site[node].Services.GetRequiredService<Breakwater.Proxy.Upstreams.NodeCounters>().Totals.Served;

    private Task<RawResponse> AskAsync(int node, string path, string fields = "") => ExchangeTests.AskAsync(_site[node], path, fields);
}
