using System.Globalization;
using Breakwater.Proxy.Fetching;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Fetching;

/// <summary>
/// An object is fetched once for all who ask, whatever repository, path and cluster they ask under; yet nobody fails, or waits too long,
/// because of what another asked for.
/// </summary>
public sealed class ForeignWayTests : IAsyncLifetime
{
    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(25);

    private readonly ScriptedUpstream _own = ScriptedUpstream.Start();
    private readonly ScriptedUpstream _foreign = ScriptedUpstream.Start();
    private readonly List<RawHttpClient> _clients = [];
    private ProxyUnderTest _proxy = null!;

    /// <summary>What a foreign cluster's only Stratum 1 may do to those who joined its fetch.</summary>
    public static TheoryData<string, int> Faults
    {
        get
        {
            TheoryData<string, int> data = [];
            foreach (string fault in s_faults.Keys)
            {
                data.Add(fault, 30_000);
                data.Add(fault, 1_500_000);
            }

            return data;
        }
    }

    private static readonly Dictionary<string, Func<int, UpstreamBehaviour>> s_faults = new()
    {
        ["404"] = _ => UpstreamBehaviour.NotFound,
        ["403"] = _ => UpstreamBehaviour.WithStatus(403),
        ["500"] = _ => UpstreamBehaviour.WithStatus(500),
        ["silent"] = _ => UpstreamBehaviour.NeverAnswers,
        ["closes"] = _ => UpstreamBehaviour.CloseWithoutAnswer,
        ["head, then silent"] = _ => UpstreamBehaviour.StallsAt(0),
        ["half, then silent"] = length => UpstreamBehaviour.StallsAt(length / 2),
        ["drips"] = _ => new UpstreamBehaviour { BytesPerSecond = 4_000 },
        ["cut half-way"] = length => UpstreamBehaviour.TruncatesAt(length / 2),
        ["wrong bytes"] = _ => UpstreamBehaviour.FlipsBitAt(3),
        ["another length"] = _ => new UpstreamBehaviour { ReplaceBody = new byte[1_000_000] },
        ["redirect"] = _ => new UpstreamBehaviour { RedirectTo = "http://127.0.0.1:9/" },
    };

    public async Task InitializeAsync() => _proxy = await StartAsync(new Dictionary<string, string?>());

    public async Task DisposeAsync()
    {
        _clients.ForEach(c => c.Dispose());
        await _foreign.DisposeAsync();
        await _own.DisposeAsync();
        await _proxy.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task AnotherCluster_FailsInWhateverWay_TheRightUrlGets200(string fault, int sizeBytes)
    {
        SyntheticObject item = new SyntheticObject(sizeBytes).On(_own);
        string foreignPath = Under("bad.example.net", item);
        _foreign.Put(foreignPath, item.Bytes);
        _foreign.Script(foreignPath, s_faults[fault](sizeBytes));
        await AskAsync(foreignPath, _foreign);

        RawResponse response = await _proxy.GetAsync(item.Path).WaitAsync(s_long);
        Assert.Equal((200, true), (response.Status, response.IsComplete));
        Assert.True(item.Bytes.AsSpan().SequenceEqual(response.Body));
    }

    [Theory]
    [InlineData("/cvmfs/other.example.org/data/{0}", false)]
    [InlineData("/cvmfs/other.example.org/data/{0}", true)]
    [InlineData("/cvmfs/synthetic.example.org/.cvmfsalt-{1}", false)]
    [InlineData("/cvmfs/synthetic.example.org/.cvmfsalt-{1}", true)]
    public async Task AnotherPath_IsNotThere_TheRightUrlGets200(string wrong, bool isOver)
    {
        SyntheticObject item = new SyntheticObject(30_000).On(_own);
        string tail = item.Path.Split("/data/")[1];
        string path = string.Format(CultureInfo.InvariantCulture, wrong, tail, tail.Replace("/", "", StringComparison.Ordinal));
        Gate gate = new();
        _own.Script(path, UpstreamBehaviour.NotFound with { HeadGate = gate });
        RawHttpClient wrongClient = await AskAsync(path, _own);
        if (isOver)
        {
            gate.Open();
            Assert.Equal(404, (await wrongClient.ReadResponseAsync()).Status);
            Assert.Equal(404, (await _proxy.GetAsync(path)).Status);
            Assert.Equal(1, _own.RequestCount(path));
        }

        Task<RawResponse> right = _proxy.GetAsync(item.Path);
        if (!isOver)
        {
            await FollowersAsync(2);
            gate.Open();

            // By the time it looks, the object may be there.
            Assert.Contains((await wrongClient.ReadResponseAsync()).Status, new[] { 404, 200 });
        }

        Assert.Equal(item.Bytes, (await right.WaitAsync(s_long)).Body);
    }

    [Fact]
    public async Task AnotherPath_IsAskedAgainAndAgain_TheRightUrlGets200()
    {
        using var stop = new CancellationTokenSource();
        SyntheticObject item = new SyntheticObject(30_000).On(_own);
        string wrong = Under("other.example.org", item);
        Task attack = Task.Run(async () =>
        {
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                await _proxy.GetAsync(i % 2 == 0 ? wrong : Under(string.Create(CultureInfo.InvariantCulture, $"r{i}.example.org"), item));
            }
        });
        await _own.RequestsArrivedAsync(wrong);
        Assert.Equal(item.Bytes, (await _proxy.GetAsync(item.Path).WaitAsync(s_long)).Body);
        await stop.CancelAsync();
        await attack;
    }

    [Fact]
    public async Task ManyOtherPaths_AllSilent_TheRightUrlGets200()
    {
        SyntheticObject item = new SyntheticObject(30_000).On(_own);
        for (int i = 0; i < FetchWays.MaxWays + 8; i++)
        {
            string path = Under(string.Create(CultureInfo.InvariantCulture, $"r{i}.example.org"), item);
            _own.Script(path, UpstreamBehaviour.NeverAnswers);
            RawHttpClient client = await _proxy.ConnectAsync();
            _clients.Add(client);
            await client.SendAsync(RawHttpClient.Request("GET", path));
        }

        await FollowersAsync(FetchWays.MaxWays + 8);
        Assert.Equal(item.Bytes, (await _proxy.GetAsync(item.Path).WaitAsync(s_long)).Body);
    }

    [Fact]
    public async Task SeveralRepositories_AskForOneObjectAtOnce_OneUpstreamRequest()
    {
        await _proxy.DisposeAsync();
        _proxy = await StartAsync(ProxyUnderTest.Patient);
        SyntheticObject item = new SyntheticObject(200_000).On(_own);
        Gate gate = new();
        List<string> paths =
            [item.Path, .. Enumerable.Range(0, 9).Select(i => Under($"shared{i}.example.org", item)), Under("bad.example.net", item)];
        foreach (string path in paths)
        {
            _own.Put(path, item.Bytes);
            _own.Script(path, UpstreamBehaviour.WaitsBeforeHead(gate));
        }

        for (int i = 0; i < 10 * paths.Count; i++)
        {
            RawHttpClient client = await _proxy.ConnectAsync();
            _clients.Add(client);
            await client.SendAsync(RawHttpClient.Request("GET", paths[i % paths.Count]));
        }

        await FollowersAsync(_clients.Count);
        gate.Open();
        RawResponse[] responses = await Task.WhenAll(_clients.Select(c => c.ReadResponseAsync())).WaitAsync(s_long);
        Assert.All(responses, r => Assert.True(r.Status == 200 && item.Bytes.AsSpan().SequenceEqual(r.Body)));
        Assert.Single(_own.Requests);
        Assert.Empty(_foreign.Requests);
    }

    [Fact]
    public async Task AskedFirstUnderTheRightUrl_ThenUnderAnother_TheOtherGetsItToo()
    {
        SyntheticObject item = new SyntheticObject(200_000).On(_own);
        Gate gate = new();
        _own.Script(item.Path, UpstreamBehaviour.WaitsAt(1_000, gate));
        RawHttpClient right = await AskAsync(item.Path, _own);
        Task<RawResponse> other = _proxy.GetAsync(Under("other.example.org", item));
        await FollowersAsync(2);
        gate.Open();
        Assert.Equal(item.Bytes, (await right.ReadResponseAsync()).Body);
        Assert.Equal(item.Bytes, (await other.WaitAsync(s_long)).Body);
        Assert.Single(_own.Requests);
    }

    private static string Under(string fqrn, SyntheticObject item) => $"/cvmfs/{fqrn}/{item.Key.ToPath()}";

    private async Task<ProxyUnderTest> StartAsync(IReadOnlyDictionary<string, string?> settings) => await ProxyUnderTest.StartAsync(
        new Dictionary<string, string?>(settings)
        {
            ["Repositories:*.example.net:Cluster"] = "foreign",
            ["ReverseProxy:Clusters:foreign:Destinations:s1:Address"] = _foreign.Address,
            ["Logging:LogLevel:Default"] = "None",
        },
        null,
        _own);

    /// <summary>Asks, and returns when the Stratum 1 has the request.</summary>
    private async Task<RawHttpClient> AskAsync(string path, ScriptedUpstream upstream)
    {
        RawHttpClient client = await _proxy.ConnectAsync();
        _clients.Add(client);
        await client.SendAsync(RawHttpClient.Request("GET", path));
        await upstream.RequestsArrivedAsync(path).WaitAsync(s_long);
        return client;
    }

    private Task FollowersAsync(int count)
    {
        FetchCoordinator fetches = _proxy.Services.GetRequiredService<FetchCoordinator>();
        return Waiting.UntilAsync(() => fetches.InFlight.Sum(f => f.Followers) >= count, s_long);
    }
}
