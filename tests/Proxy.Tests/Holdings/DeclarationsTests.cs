using Breakwater.CacheStore;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Holdings;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.TestSupport;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Holdings;

/// <summary>When the settings are looked at again, and what is said of it.</summary>
public sealed class DeclarationsTests : IAsyncLifetime
{
    private const string Declared = "declared/a.example.org/boot";
    private const string ByCommand = "warm/a.example.org/mine";

    private readonly TemporaryDirectory _directory = new();
    private readonly CountedTime _time = new();
    private readonly LogLines<Declarations> _log = new();
    private FasterObjectStore _store = null!;

    public async Task InitializeAsync()
    {
        _store = await FasterObjectStore.OpenAsync(new StoreOptions { Path = _directory.Combine("store") });
        ObjectKey key = new SyntheticObject(10).Key;
        _store.Pins.Put(Declared, [key]);
        _store.Pins.Put(ByCommand, [key]);
    }

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Start_WhereNothingIsDeclaredAnyMore_LetsItGoBeforeItReturnsAndLooksNoMore()
    {
        using Declarations declarations = Declarations([]);

        await declarations.StartAsync(default).InTimeAsync();

        Assert.Equal([ByCommand], _store.Pins.Names);
        Assert.Contains("pin " + Declared, Assert.Single(_log.Said), StringComparison.Ordinal);
        await declarations.StopAsync(default).InTimeAsync();
        Assert.Equal(0, _time.Minutes);
    }

    /// <summary>One file is enough to look again, and what is wrong with it is told of once.</summary>
    [Fact]
    public async Task File_ThatIsMissing_IsLookedForEveryMinuteAndToldOfOnce()
    {
        using Declarations declarations = Declarations([_directory.Combine("missing.seed")]);
        await declarations.StartAsync(default).InTimeAsync();
        await Waiting.UntilAsync(() => _time.Minutes == 1);
        HealthFinding finding = Assert.Single(declarations.Find());
        Assert.Single(_log.Said, line => line.Contains("there is no such file", StringComparison.Ordinal)); // at once

        for (int second = 0; second < 59; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(1, _time.Minutes);
        await Waiting.UntilAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return _time.Minutes > 1;
        });

        Assert.EndsWith("missing.seed: there is no such file. It is tried again every minute.", finding.Text, StringComparison.Ordinal);
        Assert.Equal(DeclaredState.Failed, Assert.Single(declarations.All).State);
        Assert.Single(_log.Said, line => line.Contains("there is no such file", StringComparison.Ordinal));
        Assert.DoesNotContain(_log.Said, line => line.Contains("is as declared", StringComparison.Ordinal));
        await declarations.StopAsync(default).InTimeAsync();
    }

    [Fact]
    public async Task Pin_OfARepositoryThatNobodyNames_IsAFinding()
    {
        using Declarations declarations = Declarations([], new() { ["x"] = new PinOptions { Repository = "a.example.org", All = true } });
        await declarations.StartAsync(default).InTimeAsync();
        await Waiting.UntilAsync(() => _time.Minutes == 1);

        Assert.StartsWith(
            "Pins:x: no seed has brought a.example.org, and Repositories does not name it.", Assert.Single(declarations.Find()).Text,
            StringComparison.Ordinal);
        await declarations.StopAsync(default).InTimeAsync();
    }

    private Declarations Declarations(string[] files, Dictionary<string, PinOptions>? pins = null)
    {
        var settings = new BreakwaterSettings
        {
            Proxy = new ProxyOptions(),
            Access = new AccessOptions(),
            Store = new StoreOptions(),
            Repositories = new Dictionary<string, RepositoryOptions>(),
            Seeds = new SeedOptions { Files = files },
            Pins = pins ?? new Dictionary<string, PinOptions>(),
        };
        RepositoryRoutes routes = new(settings.Repositories, null!);
        HeldDocuments documents = new();
        SeedRegistry registry =
            new(new SeedRecords(documents), null!, _store.Pins, null!, routes, settings.Proxy, settings.Seeds); // nothing is shown
        return new Declarations(
            settings, new DeclaredSeeds(_store, registry, null!, new SeedLimits(1 << 20)), new DeclaredPins(_store, routes, null!, null!),
            new AllowedRevisions(settings, documents, NullLogger<AllowedRevisions>.Instance), _time, _log);
    }

    /// <summary>Counts the waits of a minute.</summary>
    private sealed class CountedTime : FakeTimeProvider
    {
        private int _minutes;

        public int Minutes => Volatile.Read(ref _minutes);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            ITimer timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime == TimeSpan.FromMinutes(1))
            {
                Interlocked.Increment(ref _minutes);
            }

            return timer;
        }
    }
}
