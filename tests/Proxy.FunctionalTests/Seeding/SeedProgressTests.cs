using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Export;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.Seeding;

/// <summary>Whoever waits for a bundle is told how far it is, object by object, up to the last.</summary>
public sealed class SeedProgressTests
{
    [Fact]
    public async Task Progress_OfEveryStep_ReachesAllOfIt()
    {
        FixtureRepository tiny = FixtureRepository.Tiny;
        await using SeedBench bench = await SeedBench.StartAsync(tiny);
        IServiceProvider services = bench.Source.Services;
        SeedOrder order = SeedBench.All(tiny.Fqrn);
        SeedPlan plan = await services.GetRequiredService<SeedPlanner>().PlanAsync(order, default);
        SeedExporter exporter = services.GetRequiredService<SeedExporter>();
        Told fetched = new();
        await exporter.FetchAsync(plan, order, fetched, default);
        Assert.NotEmpty(plan.Missing);
        Assert.True(plan.MissingBytesEstimate > 0);
        Assert.Equal(Enumerable.Range(1, plan.Missing.Count).Select(i => (long)i), fetched.All.Select(one => one.Objects).Order());
        Assert.All(fetched.All, one => Assert.Equal((plan.Missing.Count, plan.MissingBytesEstimate), (one.TotalObjects, one.TotalBytes)));
        Assert.Equal(plan.Missing.Sum(item => (long)tiny.Objects[item.Key].Length), fetched.All.Max(one => one.Bytes));

        Told written = new();
        using var bundle = new MemoryStream();
        SeedIndex index = await exporter.WriteAsync(plan, order, bundle, written, default);
        Assert.Equal(Enumerable.Range(1, (int)index.Objects).Select(i => (long)i), written.All.Select(one => one.Objects));
        Assert.All(written.All, one => Assert.Equal((index.Objects, index.ObjectBytes), (one.TotalObjects, one.TotalBytes)));
        Assert.Equal(written.All.Select(one => one.Bytes).Order(), written.All.Select(one => one.Bytes));
        Assert.Equal(index.ObjectBytes, written.All[^1].Bytes);

        var whole = new SeedProgress(index.Objects, index.Objects, index.ObjectBytes, index.ObjectBytes);
        Told verified = new();
        await SeedImporter.VerifyAsync(new MemoryStream(bundle.ToArray()), bench.Trust, new SeedLimits(1 << 30), verified, default);
        Told imported = new();
        await using ProxyUnderTest lab = await bench.StartOfflineAsync();
        await lab.Services.GetRequiredService<SeedImporter>().ImportAsync(
            new BundleSource(new MemoryStream(bundle.ToArray()), new SeedLimits(1 << 30)), null, imported, default);
        foreach (Told told in (Told[])[verified, imported])
        {
            Assert.Equal(whole, told.All[^1]);
            Assert.All(told.All.Zip(told.All.Skip(1)).SkipLast(1), pair => Assert.True(pair.Second.Bytes - pair.First.Bytes >= 1 << 20));
        }
    }

    [Fact]
    public async Task JoinedParts_Closed_AreReadNoFurther()
    {
        using var directory = new TemporaryDirectory();
        string first = directory.Combine("lab.tar.001");
        await File.WriteAllBytesAsync(first, [1, 2]);
        await File.WriteAllBytesAsync(directory.Combine("lab.tar.002"), [0]);
        Stream joined = BundleParts.Open(first);
        byte[] one = new byte[1];
        Assert.Equal(1, await joined.ReadAsync(one));
        await joined.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => joined.ReadAsync(one).AsTask());
    }

    private sealed class Told : IProgress<SeedProgress>
    {
        private readonly Lock _gate = new();

        public List<SeedProgress> All { get; } = [];

        public void Report(SeedProgress value)
        {
            lock (_gate)
            {
                All.Add(value);
            }
        }
    }
}
