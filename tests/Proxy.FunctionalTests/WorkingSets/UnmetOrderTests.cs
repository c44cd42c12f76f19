using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Prefetching;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Upstreams;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Breakwater.Proxy.FunctionalTests.WorkingSets;

/// <summary>An order for paths that the repository does not have: what is said, and that nothing of it is done.</summary>
public sealed class UnmetOrderTests : IAsyncLifetime
{
    private readonly ScriptedUpstream _stratum1 = ScriptedUpstream.Serving(FixtureRepository.MiniOs);
    private ProxyUnderTest _proxy = null!;

    public async Task InitializeAsync() => _proxy = await ProxyUnderTest.StartAsync(_stratum1);

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _stratum1.DisposeAsync();
    }

    [Theory]
    [InlineData("/no/1", "The repository has nothing at /no/1. Nothing was fetched or pinned.")]
    [InlineData("/no/1 /no/2 /no/3", "The repository has nothing at /no/1, /no/2, /no/3. Nothing was fetched or pinned.")]
    [InlineData("/no/1 /no/2 /no/3 /no/4", "The repository has nothing at /no/1, /no/2, /no/3, …. Nothing was fetched or pinned.")]
    public async Task Order_ForWhatIsNotThere_NamesItAndDoesNothing(string missing, string says)
    {
        var progress = new PrefetchProgress();

        string? problem = await PrepareAsync(progress, ["/cvm4/etc/release", .. missing.Split(' ')]);

        Assert.Equal(says, problem);
        Assert.Equal(missing.Split(' '), progress.Unmatched);
        Assert.Empty(_proxy.Store.Pins.Names);
        Assert.Equal(0, progress.Total);
    }

    [Fact]
    public async Task Order_ForADirectory_IsToldAndDone()
    {
        var progress = new PrefetchProgress();

        Assert.Null(await PrepareAsync(progress, ["/cvm4/etc/release", "/cvm4/etc"]));

        Assert.Equal(["/cvm4/etc"], progress.Unmatched);
        Assert.Equal(["warm/minios.example.org/x"], _proxy.Store.Pins.Names);
        Assert.True(progress.Total > 0);
        Assert.Equal((progress.Total, 0), (progress.Fetched + progress.Present, progress.Failed));
    }

    [Fact]
    public async Task Order_OfATagThatIsNotThere_NamesIt()
    {
        string? problem = await PrepareAsync(new PrefetchProgress(), ["/cvm4/etc/release"], "no-such-tag");

        Assert.StartsWith("The repository has no tag 'no-such-tag' in revision ", problem, StringComparison.Ordinal);
        Assert.EndsWith(" Nothing was fetched or pinned.", problem, StringComparison.Ordinal);
    }

    private async Task<string?> PrepareAsync(PrefetchProgress progress, string[] paths, string tag = WorkingSet.Trunk)
    {
        IServiceProvider services = _proxy.Services;
        Assert.True(services.GetRequiredService<RepositoryRoutes>().TryFind("minios.example.org"u8, out RepositoryRoute? route));
        SignedDocuments documents = services.GetRequiredService<SignedDocuments>();
        await documents.GetAsync(new DocumentRequest(DocumentKind.File, route, SignedDocuments.ManifestPath, null), default);
        var set = new WorkingSet
        {
            Name = "x",
            Repository = Fqrn.Parse("minios.example.org"),
            Source = WorkingSetSource.Given,
            Snapshots = [tag],
            Entries = [.. paths.Select(path => new WorkingSetEntry { Path = path })],
        };
        return await services.GetRequiredService<WorkingSetPreparer>().PrepareAsync(route, [set], documents.Find(route)!.Parsed, progress,
            PrefetchAim.Store, PinName.OfWarmSet(set.Repository, "x"), default);
    }
}
