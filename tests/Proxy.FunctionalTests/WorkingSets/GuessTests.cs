using Breakwater.CacheStore;
using Breakwater.Proxy.Guessing;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.FunctionalTests.WorkingSets;

/// <summary>The first boot of a repository of which nothing is known, through the real proxy.</summary>
public sealed class GuessTests : IAsyncLifetime
{
    private const string Minios = "minios.example.org";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly TemporaryDirectory _keys = new();
    private readonly ScriptedUpstream _stratum1 = ScriptedUpstream.Serving(FixtureRepository.MiniOs);

    public Task InitializeAsync()
    {
        File.Copy(FixtureRepository.MiniOs.MasterKeyPath, _keys.Combine(Minios + ".pub"));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _stratum1.DisposeAsync();
        _keys.Dispose();
    }

    [Fact]
    public async Task FirstBoot_WithGuesses_FindsMostOfItFetchedAndEachObjectOnce()
    {
        await using ProxyUnderTest proxy = await StartAsync(guess: true);
        await BootAsync(proxy);

        GuessCounters counters = proxy.Services.GetRequiredService<GuessCounters>();
        long right = Enum.GetValues<GuessRule>()
            .Sum(rule => counters.Of(rule, GuessOutcome.Before) + counters.Of(rule, GuessOutcome.UnderWay));
        int asked = FixtureRepository.BootRequests(2).Count(url => url.Contains("/data/", StringComparison.Ordinal));
        Assert.InRange(right, asked / 4, asked);
        Assert.All(_stratum1.Requests.Where(request => request.Path.Contains("/data/", StringComparison.Ordinal))
            .GroupBy(request => request.Path), same => Assert.Single(same));
    }

    /// <summary>The first working set ends it: it knows better.</summary>
    [Fact]
    public async Task Guesses_OnceASetIsLearned_AreOver()
    {
        await using ProxyUnderTest proxy = await StartAsync(guess: true);
        await BootAsync(proxy);
        Guesser guesser = proxy.Services.GetRequiredService<Guesser>();
        Assert.Equal(1, guesser.Sessions);

        await Waiting.UntilAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(25));
            return proxy.Services.GetRequiredService<WorkingSetStore>().Any(Fqrn.Parse(Minios)) && guesser.Sessions == 0;
        });
        await BootAsync(proxy);

        Assert.Equal(0, guesser.Sessions);
    }

    [Fact]
    public async Task FirstBoot_WithoutGuesses_AsksForWhatTheVmAsksFor()
    {
        await using ProxyUnderTest proxy = await StartAsync(guess: false);
        await BootAsync(proxy);

        HashSet<string> asked = [.. FixtureRepository.BootRequests(2).Where(url => url.Contains("/data/", StringComparison.Ordinal))];
        // The certificate is the proxy's own need.
        Assert.InRange(_stratum1.Requests.Count(request => request.Path.Contains("/data/", StringComparison.Ordinal)), asked.Count - 1,
            asked.Count + 1);
    }

    /// <summary>A catalog that hangs below no signed manifest is not read, whoever asks for it.</summary>
    [Fact]
    public async Task Catalog_OfAnotherRepository_IsNotFollowed()
    {
        foreach ((string file, byte[] bytes) in FixtureRepository.Tiny.Files
            .Where(file => file.Key.StartsWith("data/", StringComparison.Ordinal)))
        {
            _stratum1.Put($"/cvmfs/{Minios}/{file}", bytes);
        }

        await using ProxyUnderTest proxy = await StartAsync(guess: true);
        await proxy.GetAsync($"/cvmfs/{Minios}/.cvmfspublished");
        HashSet<string> asked = [];
        foreach (ObjectKey key in FixtureRepository.Tiny.Objects.Keys.OrderBy(key => key.Kind != ObjectKind.Catalog).Take(12))
        {
            string url = $"/cvmfs/{Minios}/{key.ToPath()}";
            await proxy.GetAsync(url);
            asked.Add(url);
        }

        await Waiting.UntilAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(25)); // again and again: the session may not have begun to measure its silence
            return proxy.Services.GetRequiredService<Guesser>().Sessions == 0;
        });

        Assert.DoesNotContain(_stratum1.Requests.Select(request => request.Path),
            path => path.Contains("/data/", StringComparison.Ordinal) && !asked.Contains(path)
                && !FixtureRepository.MiniOs.Files.ContainsKey(path[$"/cvmfs/{Minios}/".Length..]));
    }

    private Task<ProxyUnderTest> StartAsync(bool guess) => ProxyUnderTest.StartAsync(
        new Dictionary<string, string?>
        {
            ["Repositories:KeysDirectory"] = _keys.Path,
            ["WorkingSets:Guess"] = guess ? "true" : "false",
        },
        _time, _stratum1);

    private static async Task BootAsync(ProxyUnderTest proxy)
    {
        using var vm = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 1 })
        {
            BaseAddress = new Uri($"http://{proxy.EndPoint}/"),
        };
        foreach (string url in FixtureRepository.BootRequests(2))
        {
            byte[] body = await vm.GetByteArrayAsync(url);
            Assert.True(FixtureRepository.MiniOs.Files[url[$"/cvmfs/{Minios}/".Length..]].AsSpan().SequenceEqual(body), url);
        }
    }
}
