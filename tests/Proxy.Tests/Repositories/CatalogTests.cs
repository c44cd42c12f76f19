using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Repositories;

public sealed class CatalogTests
{
    [Theory]
    [InlineData("tiny.example.org")]
    [InlineData("rmd.example.org")]
    [InlineData("shake.example.org")]
    [InlineData("nocomp.example.org")]
    public async Task Walk_RealRepository_ListsExactlyTheTrueFilesWithTheirContent(string name)
    {
        Fixture fixture = Fixture.Load(name);

        Dictionary<string, string> tree = await fixture.ReadTree(fixture.Manifest.RootCatalog);

        Assert.Equal(Sorted(Fixture.ReadSums("tiny.example.org.files.sha256")), Sorted(tree));
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v2")]
    public async Task Walk_BothRevisionsOfMinios_ListExactlyTheTrueFilesWithTheirContent(string revision)
    {
        Fixture fixture = Fixture.Load("minios.example.org");
        Manifest manifest = Manifest.Parse(File.ReadAllBytes(Path.Combine(Fixture.Directory, "minios", "cvmfspublished." + revision)))
            .Value!;

        Dictionary<string, string> tree = await fixture.ReadTree(manifest.RootCatalog);

        Assert.Equal(Sorted(Fixture.ReadSums($"minios/files.{revision}.sha256")), Sorted(tree));
    }

    [Fact]
    public async Task Walk_FirstRevisionOfNocomp_HasObjectsStoredPlain()
    {
        Fixture fixture = Fixture.Load("nocomp.example.org");
        History history = await fixture.ReadHistory(fixture.Manifest.History!.Value);
        int plain = 0;

        await new CatalogTree(history.Find("v1")!.RootCatalog, fixture.OpenCatalog).WalkAsync((catalog, _) => catalog.Walk(entry =>
            plain += entry.HasObjects && entry.IsStoredPlain ? 1 : 0));
        Dictionary<string, string> tree = await fixture.ReadTree(history.Find("v1")!.RootCatalog);

        Assert.True(plain > 0);
        Assert.NotEmpty(tree);
    }

    [Fact]
    public async Task ReadHistory_Minios_FollowsTheTagOfEachRevision()
    {
        Fixture fixture = Fixture.Load("minios.example.org");
        History first = await fixture.ReadHistory(ObjectKey.Parse("8d9834068db389718f64a222c7bf3fd9b4831e3cH"));
        History second = await fixture.ReadHistory(fixture.Manifest.History!.Value);

        Assert.Equal("a99127631e7f76dc87d0af3fa1c84c9be1a93ac6C", first.Find("HEAD4")!.RootCatalog.ToString());
        Assert.Equal("3340320000d5e406ed5913199f9c96ca2dc0e5eaC", second.Find("HEAD4")!.RootCatalog.ToString());
        Assert.Equal(2UL, second.Find("HEAD4")!.Revision);
        Assert.Equal("v1", second.FindAt(second.Find("v1")!.CreatedAt)!.Name);
        Assert.Null(second.Find("HEAD"));
    }

    private static IEnumerable<string> Sorted(Dictionary<string, string> files) =>
        files.Select(file => $"{file.Value} {file.Key}").Order(StringComparer.Ordinal);
}
