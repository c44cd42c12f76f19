using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Tests.Repositories;
using Breakwater.Proxy.Tests.WorkingSets;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Snapshots;

/// <summary>Links on the way to a file, and where they end.</summary>
public sealed class SnapshotResolverTests : IDisposable
{
    private readonly SmallSnapshot _snapshot = new(
        "/real/", "/real/sub/", "/real/sub/file", "/real/other", "/real/up -> ../real/sub", "/real/top -> ..",
        "/link -> real", "/dot -> ./real//./other", "/abs -> /etc", "/var -> $(VAR)", "/out -> ../../real", "/loop -> loop");

    public void Dispose() => _snapshot.Dispose();

    [Theory]
    [InlineData("/real/other", "/real/other")]
    [InlineData("/link/sub/file", "/real/sub/file")]
    [InlineData("/link/up/file", "/real/sub/file")]
    [InlineData("/real/up/file", "/real/sub/file")]
    [InlineData("/real/top/real/other", "/real/other")]
    [InlineData("/dot", "/real/other")]
    [InlineData("/abs/x", null)]
    [InlineData("/var/x", null)]
    [InlineData("/out/other", null)]
    [InlineData("/loop/x", null)]
    [InlineData("/real/other/x", null)]
    [InlineData("/real/none", null)]
    public async Task Resolve_PathThroughLinks_IsTheFileWhereTheyLead(string path, string? file)
    {
        Resolution found = await _snapshot.ResolveAsync(path);

        Assert.Equal(file is null ? [] : [file], found.Files.Select(one => one.Path));
        Assert.Equal(file is not null, found.Found.Contains(0));
    }

    [Theory]
    [InlineData("/abs", true, false)]
    [InlineData("/loop", true, false)]
    [InlineData("/link", true, true)]
    [InlineData("/real/top", true, true)]
    [InlineData("/real", false, true)]
    [InlineData("", false, true)]
    public async Task Resolve_LinkOrDirectoryItself_IsSeenAndNoFile(string path, bool isFound, bool isDirectory)
    {
        Resolution found = await _snapshot.ResolveAsync(path);

        Assert.Empty(found.Files);
        Assert.Equal((isFound, isDirectory), (found.Found.Contains(0), found.Directories.Contains(0)));
    }

    [Fact]
    public async Task Resolve_CatalogsAlone_TakesNoFile()
    {
        Resolution found = (await SnapshotResolver.ResolveAsync(_snapshot.Tree,
            [new WantedPath(0, PathPattern.Literal("/real/other"), IsCatalogOnly: true),
            new WantedPath(1, PathPattern.Literal("/real"), IsCatalogOnly: true)])).Value!;

        Assert.Empty(found.Files);
        Assert.Equal([0, 1], found.Found.Order());
        Assert.Empty(found.Directories);
    }

    [Theory]
    [InlineData("/link/sub/file", "/real/sub/file")]
    [InlineData("/real/sub/file", "/link/sub/file")]
    public async Task Resolve_OneFileByTwoWays_IsThereOnceAtTheEarlierPlace(string one, string other)
    {
        Resolution found = await _snapshot.ResolveAsync(one, "/real/other", other);

        Assert.Equal([(0, "/real/sub/file"), (1, "/real/other")], found.Files.Select(file => (file.Order, file.Path)));
        Assert.Equal([SmallSnapshot.ObjectOf("/real/sub/file")], found.Files[0].Objects);
    }

    /// <summary>Of a file in parts only those count that are touched.</summary>
    [Theory]
    [InlineData(0, 1, "0")]
    [InlineData(-1, 1, "0")]
    [InlineData(-1, 2, "0 1")]
    [InlineData(0, 0, "")]
    [InlineData(int.MaxValue, 1, "")]
    public async Task Resolve_PartOfAFile_IsTheChunksThatItTouches(int fromTheSecond, long length, string touched)
    {
        List<CatalogChunk> chunks = [];
        await MiniOs.Tree(2).WalkAsync((catalog, _) => catalog.Walk(entry =>
        {
            if (entry.Path == "/cvm4/opt/app/blob.bin")
            {
                Assert.Null(catalog.ReadChunks(entry, chunks));
            }
        }));
        long offset = fromTheSecond == 0 ? 0 : chunks[1].Offset + fromTheSecond;

        Resolution found = (await SnapshotResolver.ResolveAsync(MiniOs.Tree(2),
            [new WantedPath(0, PathPattern.Literal("/cvm4/opt/app/blob.bin"), Ranges: [new Stretch(offset, length)])])).Value!;

        Assert.Equal(touched, string.Join(' ', Assert.Single(found.Files).Objects.Select(key => chunks.FindIndex(c => c.Object == key))));
    }

    [Theory]
    [InlineData("/d/f")]
    [InlineData("/d/f/x")]
    public async Task Resolve_WhereAnEntryIsDamaged_IsAProblem(string path)
    {
        byte[] damaged = SmallCatalog.Of("UPDATE catalog SET size=-1 WHERE name='f'");
        var tree = new CatalogTree(_snapshot.Root, (_, cancellation) =>
            Catalog.OpenAsync(new MemoryStream(damaged), CatalogLimits.Default, cancellation));

        Parsed<Resolution> found = await SnapshotResolver.ResolveAsync(tree, [new WantedPath(0, PathPattern.Literal(path))]);

        Assert.Equal("Catalog: the entry of '/d/f' is malformed.", found.Problem);
    }

    [Fact]
    public async Task Resolve_Nothing_StillOpensTheRoot()
    {
        Resolution found = await _snapshot.ResolveAsync();

        Assert.Equal([("", _snapshot.Root)], found.Catalogs.Select(catalog => (catalog.Path, catalog.Catalog)));
    }
}
