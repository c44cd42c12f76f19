using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish.Keys;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Commands.Publish.Revisions;
using Breakwater.Repositories;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Publishing;

/// <summary>What is collected of a folder that other tools have written, whatever algorithm they hash with.</summary>
public sealed class GarbageTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>Chunks of another algorithm than SHA-1 counted as named by nobody, and were deleted.</summary>
    [Theory]
    [InlineData("tiny.example.org")]
    [InlineData("rmd.example.org")]
    [InlineData("shake.example.org")]
    public async Task Collect_ChunksOfAnyAlgorithm_StayWhileAFileHasThem(string fqrn)
    {
        FixtureRepository fixture = FixtureRepository.Load(fqrn);
        string output = _directory.Combine("out");
        fixture.WriteTo(Path.Combine(output, "cvmfs"));
        using RepositoryFolder folder = RepositoryFolder.Open(output, fqrn);
        CurrentRepository current = (await CurrentRepository.LoadAsync(folder, default))!;
        ObjectKey[] needed = await NeededAsync(folder, current);
        Assert.Contains(needed, key => key.Kind == ObjectKind.Chunk);
        folder.Objects.Create();
        ObjectKey garbage = folder.Objects.Put("Nobody needs this."u8, (char)ObjectKind.Chunk);

        (long objects, _) = await Garbage.CollectAsync(
            folder,
            new PublishKeys(_directory.Combine("keys"), fqrn),
            TimeSpan.FromDays(9),
            current with { References = [] }, // nothing of the reflog goes, so that no manifest is signed
            DateTimeOffset.UtcNow,
            default);

        Assert.True(objects > 0);
        Assert.False(folder.Objects.Contains(garbage));
        Assert.All(needed, key => Assert.True(folder.IsGood(key), key.ToString()));
    }

    /// <summary>The store is told anew of what it is to keep when something of it is gone, and only then.</summary>
    [Theory]
    [InlineData("", 0, "shown")]
    [InlineData("0123456789012345678901234567890123456789", 1, "")]
    [InlineData("0123456789012345678901234567890123456789P", 1, "")]
    [InlineData("0123456789012345678901234567890123456789C", 0, "")]       // counted where it is: in the folder
    public async Task Collect_OfWhatIsInTheStore_ForgetsWhatNobodyNeeds(string garbage, int counted, string shown)
    {
        FixtureRepository fixture = FixtureRepository.Tiny;
        string output = _directory.Combine("out");
        fixture.WriteTo(Path.Combine(output, "cvmfs"));
        using RepositoryFolder folder = RepositoryFolder.Open(output, fixture.Fqrn);
        CurrentRepository current = (await CurrentRepository.LoadAsync(folder, default))! with { References = [] };
        var keys = new PublishKeys(_directory.Combine("keys"), fixture.Fqrn);
        await Garbage.CollectAsync(folder, keys, TimeSpan.FromDays(9), current, DateTimeOffset.UtcNow, default);
        ObjectKey[] needed = await NeededAsync(folder, current);
        new StoredObjects("shown", needed.Concat(garbage.Length == 0 ? Array.Empty<ObjectKey>() : [ObjectKey.Parse(garbage)]).ToHashSet())
            .Save(folder.StateFile(StoredObjects.FileName));

        (long objects, long bytes) =
            await Garbage.CollectAsync(folder, keys, TimeSpan.FromDays(9), current, DateTimeOffset.UtcNow, default);

        StoredObjects kept = StoredObjects.Load(folder.StateFile(StoredObjects.FileName));
        Assert.Equal((counted, 0, shown), (objects, bytes, kept.Shown));
        Assert.True(kept.Keys.SetEquals(needed));
    }

    /// <summary>The objects of every file of the trunk and of all tags, as a client finds them.</summary>
    private static async Task<ObjectKey[]> NeededAsync(RepositoryFolder folder, CurrentRepository current)
    {
        List<ObjectKey> needed = [];
        foreach (ObjectKey root in current.Tags.Select(tag => tag.RootCatalog).Append(current.Manifest.RootCatalog).Distinct())
        {
            var tree = new CatalogTree(root, (key, cancel) => PublishedTree.OpenAsync(folder.Root, key, cancel));
            Assert.Null(await tree.WalkAsync((catalog, _) => catalog.Walk(entry => Assert.Null(catalog.ReadObjects(entry, needed)))));
        }

        return [.. needed.Distinct()];
    }
}
