using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>What the doctor finds at Stratum 1s that are well, ill, or not there.</summary>
public sealed class DoctorStratum1sTests : IAsyncLifetime
{
    private const string Path = "/cvmfs/info/v1/repositories.json";

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow); // it tells the time, which is compared with the real one
    private ScriptedUpstream _upstream = null!;

    public Task InitializeAsync()
    {
        _upstream = ScriptedUpstream.Start(time: _time);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _upstream.DisposeAsync();

    [Theory]
    [InlineData(200, CheckLevel.Ok, @"^answers in \d+ ms, clocks agree$")]
    [InlineData(404, CheckLevel.Ok, @"^answers in \d+ ms, clocks agree$")]      // no list of repositories is none of its duties
    [InlineData(403, CheckLevel.Warning, "^answered 403$")]
    [InlineData(503, CheckLevel.Warning, "^answered 503$")]
    public async Task Answer_OfAStratum1_IsWellWithOrWithoutAList(int status, object level, string found)
    {
        _upstream.Put(Path, "{}"u8.ToArray());
        _upstream.Everything = UpstreamBehaviour.WithStatus(status);

        DoctorCheck check = Assert.Single(await CheckAsync(_upstream.Address, "one"));

        Assert.Equal(($"Stratum 1 {_upstream.EndPoint}", (CheckLevel)level), (check.Name, check.Level));
        Assert.Matches(found, check.Found);
        Assert.Equal(check.Level == CheckLevel.Ok, check.Next is null);
        Assert.Equal(1, _upstream.RequestCount(Path));
    }

    [Theory]
    [InlineData(-10, false)]
    [InlineData(-4, true)]
    [InlineData(4, true)]
    [InlineData(10, false)]
    public async Task Clock_OfAStratum1_MayDifferByMinutes(int minutes, bool isRight)
    {
        _time.AdjustTime(_time.GetUtcNow().AddMinutes(minutes));

        DoctorCheck check = Assert.Single(await CheckAsync(_upstream.Address, "one"));

        Assert.Equal(isRight ? CheckLevel.Ok : CheckLevel.Warning, check.Level);
        Assert.Equal(!isRight, check.Found.StartsWith("its clock and ours differ by 00:", StringComparison.Ordinal));
    }

    /// <summary>Of two clusters with one server it is asked once, and of clusters that nobody has named it is not.</summary>
    [Fact]
    public async Task Servers_OfTheNamedClusters_AreAskedOnceEach()
    {
        DoctorCheck[] checks = await CheckAsync(_upstream.Address, "one", "two");

        Assert.Single(checks);
        Assert.Single(_upstream.Requests);
        Assert.Empty(await CheckAsync(_upstream.Address));
    }

    [Fact]
    public async Task Server_ThatIsNotThere_IsToldByWhatRefusesIt()
    {
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // taken, and nobody listens

        DoctorCheck refused = Assert.Single(await CheckAsync($"http://{closed.LocalEndPoint}", "one"));
        _upstream.Everything = UpstreamBehaviour.NotHttp;
        DoctorCheck other = Assert.Single(await CheckAsync(_upstream.Address, "one"));

        Assert.Equal((CheckLevel.Warning, CheckLevel.Warning), (refused.Level, other.Level));
        Assert.StartsWith($"connection refused: nothing listens on {closed.LocalEndPoint}", refused.Found, StringComparison.Ordinal);
        Assert.StartsWith($"is a Stratum 1 at {_upstream.EndPoint}?", other.Next, StringComparison.Ordinal);
    }

    /// <summary>
    /// It was "look", by words about firewalls, though nothing is ever fetched from there: a Stratum 1 or parent proxy beside this proxy,
    /// by its name.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Name_OfAnAddressThatTheSettingsForbid_IsAFailureThatNamesTheSetting(bool isParent)
    {
        string beside = $"http://beside.example.org:{_upstream.EndPoint.Port}";
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Repositories:*.example.org:Cluster"] = "one",
            ["ReverseProxy:Clusters:one:Destinations:s1:Address"] = isParent ? "http://s1.example.org" : beside,
            ["ReverseProxy:Clusters:one:HttpClient:WebProxy:Address"] = isParent ? beside : null,
        }).Build();

        DoctorCheck refused = await CheckOneAsync(configuration, isParent ? "http://s1.example.org" : beside);
        string network = Regex.Match(refused.Next ?? "", @"""AllowedUpstreams"": \[ ""([^""]+)"" \]").Groups[1].Value;
        DoctorCheck allowed = await CheckOneAsync(configuration, isParent ? "http://s1.example.org" : beside, network);

        Assert.Equal((CheckLevel.Failure, CheckLevel.Ok), (refused.Level, allowed.Level));
        Assert.StartsWith("beside.example.org is 127.0.0.1, which is loopback", refused.Found, StringComparison.Ordinal);
    }

    // 21: the only Stratum 1 of the site refused connections, and the doctor's exit code was 0.
    [Theory]
    [InlineData("a", false, "", CheckLevel.Failure)]
    [InlineData("a", false, "A", CheckLevel.Failure)]
    [InlineData("a", true, "a", CheckLevel.Warning)]   // another answers
    [InlineData("b", false, "a b", CheckLevel.Failure)]
    public void Judge_ClustersOfWhichNobodyAnswers_AreFailuresWhereTheSiteNeedsThem(string needed, bool anotherAnswers, string alsoIn,
        object level)
    {
        DoctorCheck down = new("Stratum 1 x", CheckLevel.Warning, "connection refused") { IsDown = true };
        string[] clusters = [.. alsoIn.Split(' ', StringSplitOptions.RemoveEmptyEntries).DefaultIfEmpty("a")];

        DoctorCheck[] judged = DoctorStratum1s.Judge(
            [(clusters, down), (["a"], new DoctorCheck("Stratum 1 y", CheckLevel.Warning, "slow") { IsDown = !anotherAnswers })],
            new HashSet<string>([needed], StringComparer.OrdinalIgnoreCase));
        DoctorCheck[] presets = DoctorStratum1s.Judge([(clusters, down)], new HashSet<string>());

        Assert.Equal((CheckLevel)level, judged[0].Level);
        Assert.Equal(CheckLevel.Warning, Assert.Single(presets).Level); // nobody has asked for it
    }

    private static async Task<DoctorCheck> CheckOneAsync(IConfiguration configuration, string address, params string[] allowed)
    {
        var settings = BreakwaterSettings.Load(configuration);
        using var connector =
            new GuardedConnector(new AddressGuard(allowed, TimeProvider.System), new Beside(), settings.Proxy, TimeProvider.System);
        var doctor = new DoctorStratum1s(new ParentProxies(configuration, TimeProvider.System), connector, new Beside(),
            new LoopGuard(settings.Proxy), settings.Proxy.LookupTimeout);
        return await doctor.CheckAsync(address, "one", CancellationToken.None).InTimeAsync();
    }

    /// <summary>A name service to which every name is this machine's.</summary>
    private sealed class Beside : IHostNames
    {
        public Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) =>
            Task.FromResult<IPAddress[]>([IPAddress.Loopback]);
    }

    private static Task<DoctorCheck[]> CheckAsync(string address, params string[] clusters)
    {
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Repositories:*.example.org:Cluster"] = "one",
            ["ReverseProxy:Clusters:one:Destinations:s1:Address"] = address,
            ["ReverseProxy:Clusters:two:Destinations:s1:Address"] = address,
        }).Build();
        return DoctorStratum1s.CheckAsync(configuration, BreakwaterSettings.Load(configuration),
            clusters.ToHashSet(StringComparer.OrdinalIgnoreCase), new HashSet<string>(), CancellationToken.None).InTimeAsync();
    }
}
