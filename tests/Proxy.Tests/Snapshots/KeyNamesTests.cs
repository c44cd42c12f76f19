using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Tests.WorkingSets;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Snapshots;

/// <summary>From keys back to the places whose bytes they are.</summary>
public sealed class KeyNamesTests
{
    private const string Blob = "/cvm4/opt/app/blob.bin";

    [Fact]
    public async Task Find_Chunks_SaysWhichPartOfTheFileEachIs()
    {
        List<CatalogChunk> chunks = await ChunksAsync();

        Dictionary<ObjectKey, List<KeyName>> names = await FindAsync(chunks.Select(chunk => chunk.Object), _ => true);

        Assert.True(chunks.Count > 1);
        Assert.Equal(chunks.Count, names.Count);
        foreach (CatalogChunk chunk in chunks)
        {
            Assert.Equal(new KeyName(Blob, new Stretch(chunk.Offset, chunk.SizeBytes)), Assert.Single(names[chunk.Object]));
        }
    }

    [Fact]
    public async Task Find_CatalogsAndFiles_OnlyInWhatMayBeOpened()
    {
        Dictionary<string, ObjectKey> catalogs = [];
        ObjectKey blob = (await ChunksAsync())[0].Object;
        await MiniOs.Tree(2).WalkAsync((catalog, key) =>
        {
            catalogs[catalog.Prefix] = key;
            return null;
        });

        Dictionary<ObjectKey, List<KeyName>> all = await FindAsync([.. catalogs.Values, blob], _ => true);
        Dictionary<ObjectKey, List<KeyName>> some = await FindAsync([.. catalogs.Values, blob], key => key != catalogs["/cvm4/opt/app"]);

        Assert.Equal(catalogs.Keys.Append(Blob).Order(), all.Values.Select(names => names.Single().Path).Order());
        Assert.Equal(
            catalogs.Keys.Where(path => path != "/cvm4/opt/app").Order(), some.Values.Select(names => names.Single().Path).Order());
        Assert.All(catalogs.Values, key => Assert.Null(all[key][0].Range));
    }

    [Theory]
    [InlineData(64)]
    [InlineData(70)]
    public async Task Find_BytesThatAreAtManyPlaces_AreToldOfAsMany(int places)
    {
        ObjectKey chunk = new(SHA1.HashData("many"u8), DigestAlgorithm.Sha1, ObjectKind.Chunk);
        using SmallSnapshot snapshot = new(
            writer =>
            {
                for (int i = 0; i < places; i++)
                {
                    writer.AddChunk(PathKey.Of("/file"), i, 1, SHA1.HashData("many"u8));
                }
            },
            "/file");

        Dictionary<ObjectKey, List<KeyName>> names =
            (await KeyNames.FindAsync(snapshot.Tree, new HashSet<ObjectKey> { chunk }, _ => true)).Value!;

        Assert.Equal(64, names[chunk].Count);
        Assert.All(names[chunk], name => Assert.Equal("/file", name.Path));
    }

    /// <summary>As many files of the same bytes, such as empty ones.</summary>
    [Theory]
    [InlineData(64)]
    [InlineData(65)]
    public async Task Find_FilesOfTheSameBytes_AreToldOfAsMany(int files)
    {
        ObjectKey same = new(SHA1.HashData("same"u8), DigestAlgorithm.Sha1, ObjectKind.Plain);
        using SmallSnapshot snapshot = new(
            writer =>
            {
                for (int i = 0; i < files; i++)
                {
                    writer.Add(SmallSnapshot.Row($"/{i}", CatalogFlags.File, "") with { Digest = SHA1.HashData("same"u8) });
                }
            });

        Dictionary<ObjectKey, List<KeyName>> names =
            (await KeyNames.FindAsync(snapshot.Tree, new HashSet<ObjectKey> { same }, _ => true)).Value!;

        Assert.Equal(64, names[same].Count);
        Assert.Equal(64, names[same].Select(name => name.Path).Distinct().Count());
    }

    [Fact]
    public async Task Find_CatalogThatCannotBeHad_IsAProblem()
    {
        var tree = new CatalogTree(MiniOs.Manifest(2).RootCatalog, (_, _) => Task.FromResult<Parsed<Catalog>>(new Malformed("gone")));

        Parsed<Dictionary<ObjectKey, List<KeyName>>> found = await KeyNames.FindAsync(tree, new HashSet<ObjectKey>(), _ => true);

        Assert.Contains("gone", found.Problem, StringComparison.Ordinal);
    }

    private static async Task<Dictionary<ObjectKey, List<KeyName>>> FindAsync(IEnumerable<ObjectKey> keys, Predicate<ObjectKey> enter) =>
        (await KeyNames.FindAsync(MiniOs.Tree(2), keys.ToHashSet(), enter)).Value!;

    private static async Task<List<CatalogChunk>> ChunksAsync()
    {
        List<CatalogChunk> chunks = [];
        await MiniOs.Tree(2).WalkAsync((catalog, _) => catalog.Walk(entry =>
        {
            if (entry.Path == Blob)
            {
                Assert.Null(catalog.ReadChunks(entry, chunks));
            }
        }));
        return chunks;
    }
}
