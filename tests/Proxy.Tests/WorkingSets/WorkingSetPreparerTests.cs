using System.Diagnostics.Metrics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Tests.TestSupport;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.WorkingSets;

/// <summary>What is pinned of one revision after the other, where nothing must be fetched.</summary>
public sealed class WorkingSetPreparerTests : IClassFixture<MiniOsStore>, IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeTimeProvider _time = new();
    private readonly MiniOsStore _store;
    private readonly ProxyCounters _counters;
    private readonly PrefetchPace _pace;
    private readonly Prefetcher _prefetcher;
    private readonly WorkingSetPreparer _preparer;

    public WorkingSetPreparerTests(MiniOsStore store)
    {
        _store = store;
        _counters = new ProxyCounters(_services.GetRequiredService<IMeterFactory>());
        _pace = new PrefetchPace(_counters, _time);
        _prefetcher = new Prefetcher(store.Store, store.Objects, new WorkingSetOptions(), _pace);
        WorkingSetStore sets = new(new HeldDocuments(), _time, NullLogger<WorkingSetStore>.Instance);
        _preparer = new WorkingSetPreparer(sets, store.Snapshots, _prefetcher, store.Store.Pins, new WorkingSetOptions(), _time, null!,
            NullLogger<WorkingSetPreparer>.Instance);
    }

    public void Dispose()
    {
        _prefetcher.Dispose();
        _pace.Dispose();
        _counters.Dispose();
        _services.Dispose();
    }

    /// <summary>VMs of the older one still run; what is older than that makes room, and what others have pinned stays.</summary>
    [Fact]
    public async Task Prepare_OfOneRevisionAfterTheOther_PinsTheTwoNewestManifests()
    {
        ObjectKey root = MiniOs.Manifest(1).RootCatalog, next = MiniOs.Manifest(2).RootCatalog;
        string prefix = PinName.StandingPrefix(MiniOs.Fqrn);
        _store.Store.Pins.Put("warm/minios.example.org/mine", [root]);

        Assert.Null(await PrepareAsync(ManifestOf(1, root, 1000), ["/cvm4/etc"]));
        Assert.Null(await PrepareAsync(ManifestOf(2, next, 2000), ["/cvm4/etc"]));
        Assert.Null(await PrepareAsync(ManifestOf(1, root, 3000), ["/cvm4/etc"])); // made anew: it counts from 1 again

        Assert.Equal(
            ["warm/minios.example.org/mine", $"{prefix}00000002000-00000000000000000002-{next.ToString()[..8]}",
                $"{prefix}00000003000-00000000000000000001-{root.ToString()[..8]}"],
            _store.Store.Pins.Names.Order(StringComparer.Ordinal));
        Assert.True(_store.Store.Pins.IsPinned(next));
        PrefetchProgress progress = _preparer.ProgressOf(MiniOs.Fqrn)!;
        Assert.True(progress.Total > 1);
        Assert.Equal((progress.Total, 0, 0), (progress.Present, progress.Fetched, progress.Failed));
    }

    [Fact]
    public async Task Order_ByATagWhereTheTagsCannotBeRead_SaysSoAndDoesNothing()
    {
        string? problem = await PrepareAsync(
            ManifestOf(1, MiniOs.Manifest(1).RootCatalog, 1000, MiniOsStore.NoHistory), [], "v1", PinName.OfWarmSet(MiniOs.Fqrn, "x"));

        Assert.EndsWith(" Nothing was fetched or pinned.", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("warm/minios.example.org/x", _store.Store.Pins.Names);
    }

    private async Task<string?> PrepareAsync(Manifest manifest, string[] directories, string tag = WorkingSet.Trunk, PinName? order = null)
    {
        WorkingSet set = new()
        {
            Name = "boot",
            Repository = MiniOs.Fqrn,
            Source = WorkingSetSource.Given,
            Snapshots = [tag],
            Entries = [.. directories.Select(path => new WorkingSetEntry { Path = path, IsLiteral = true, IsCatalogOnly = true })],
        };
        RepositoryRoute route = new(MiniOs.Fqrn, "test");
        return await _preparer.PrepareAsync(route, [set], manifest, new PrefetchProgress(), PrefetchAim.Store, order, default)
            .InTimeAsync();
    }

    /// <summary>A manifest that names no certificate.</summary>
    private static Manifest ManifestOf(ulong revision, ObjectKey root, long publishedAt, ObjectKey? history = null)
    {
        string text = string.Create(CultureInfo.InvariantCulture,
            $"C{root.ToString()[..40]}\nRd41d8cd98f00b204e9800998ecf8427e\nD240\nS{revision}\nN{MiniOs.Name}\nT{publishedAt}\n");
        text += history is { } tags ? $"H{tags.ToString()[..40]}\n" : "";
        string hash = Convert.ToHexStringLower(SHA1.HashData(Encoding.ASCII.GetBytes(text)));
        Parsed<Manifest> parsed = Manifest.Parse(Encoding.ASCII.GetBytes($"{text}--\n{hash}\n"));
        return parsed.TryGet(out Manifest? manifest, out string? problem) ? manifest : throw new InvalidOperationException(problem);
    }
}
