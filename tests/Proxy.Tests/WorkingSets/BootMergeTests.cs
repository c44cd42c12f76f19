using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.WorkingSets;

/// <summary>What of several boots becomes the set: how many must have read it, when, and which part.</summary>
public sealed class BootMergeTests
{
    private static readonly Fqrn s_fqrn = Fqrn.Parse("a.example.org");
    private static readonly DateTimeOffset s_now = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Merge_EntryThatHalfOfTheBootsRead_StaysWithItsShare()
    {
        WorkingSet set = Merge(Boot("/a", "/b", "/c"), Boot("/a", "/b"));

        Assert.Equal([("/a", 1.0), ("/b", 1.0), ("/c", 0.5)], set.Entries.Select(e => (e.Path, e.Share)));
        Assert.Equal(["/a", "/b"], Merge(Boot("/a", "/b", "/c"), Boot("/a", "/b"), Boot("/a", "/b")).Entries.Select(e => e.Path));
        Assert.Equal((2, s_now, WorkingSetSource.Learned, "boot", s_fqrn),
            (set.Boots, set.UpdatedAt, set.Source, set.Name, set.Repository));
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(1, 1)]
    public void Merge_BootThatReadHalfOfTheLongest_Counts(int entries, int boots) =>
        Assert.Equal(boots, Merge(Boot("/a", "/b", "/c", "/d"), Boot([.. new[] { "/a", "/b" }.Take(entries)])).Boots);

    [Fact]
    public void Merge_WholeDirectory_OfMoreThanHalf()
    {
        BootProfile with = Boot("/a") with { WholeDirectories = ["/z", "/d"] };

        Assert.Empty(Merge(with, Boot("/a")).WholeDirectories);
        Assert.Equal(["/d", "/z"], Merge(with, with, Boot("/a")).WholeDirectories);
    }

    [Fact]
    public void Merge_PlaceAndTime_AreMedians()
    {
        BootProfile first = Boot("/a", "/b");
        BootProfile second = new([""], [At("/a", 11), At("/b", 40)], []);
        BootProfile third = new([""], [At("/b", 5), At("/a", 50)], []);

        WorkingSet two = Merge(first, second);
        WorkingSet three = Merge(first, second, third);

        Assert.Equal([("/a", 5.5), ("/b", 20.5)], two.Entries.Select(e => (e.Path, e.Offset!.Value.TotalMilliseconds)));
        Assert.Equal([("/a", 11.0), ("/b", 5.0)], three.Entries.Select(e => (e.Path, e.Offset!.Value.TotalMilliseconds)));
    }

    [Fact]
    public void Merge_OneFileAtSeveralPlacesOfABoot_CountsOnce()
    {
        WorkingSet set = Merge(new BootProfile([""], [At("/a", 0), At("/a", 9), At("/b", 3), At("/b", 4)], []));

        Assert.Equal([("/a", 1.0, 0.0), ("/b", 1.0, 3.0)], set.Entries.Select(e => (e.Path, e.Share, e.Offset!.Value.TotalMilliseconds)));
    }

    [Fact]
    public void Merge_PartsOfAFile_AreAllOfThemUnlessABootReadTheWhole()
    {
        BootProfile head = new([""], [At("/a", 0) with { Ranges = [new Stretch(9, 1), new Stretch(0, 1)] }], []);
        BootProfile tail = new([""], [At("/a", 0) with { Ranges = [new Stretch(5, 2), new Stretch(0, 1)] }], []);

        Assert.Equal([new Stretch(0, 1), new Stretch(5, 2), new Stretch(9, 1)], Merge(head, tail).Entries[0].Ranges);
        Assert.Null(Merge(head, Boot("/a"), tail).Entries[0].Ranges);
    }

    [Fact]
    public void Merge_PathLookedUpAndRead_AreTwoEntries()
    {
        BootProfile boot = new([""], [At("/a", 0) with { IsCatalogOnly = true }, At("/a", 1)], []);

        Assert.Equal([true, false], Merge(boot, boot).Entries.Select(e => e.IsCatalogOnly));
    }

    [Fact]
    public void Merge_Snapshots_AreThoseOfAllElseOfTheNewest()
    {
        BootProfile one = Boot("/a") with { Snapshots = ["v1", "v2"] };
        BootProfile two = Boot("/a") with { Snapshots = ["v2", "v3"] };

        Assert.Equal(["v2"], Merge(one, two).Snapshots);
        Assert.Equal(["v3"], Merge(one, two, Boot("/a") with { Snapshots = ["v3"] }).Snapshots);
    }

    /// <summary>Tags that show the root mounted count only for a boot that looked tags up.</summary>
    [Fact]
    public async Task Profile_OfABoot_FollowsTagsOnlyWhereItLookedThemUp()
    {
        RecordedBoot tagged = new(MiniOs.Fqrn, [.. MiniOs.BootObjects(1).Select(key => new BootRead(key, TimeSpan.Zero))]);
        RecordedBoot plain = new(MiniOs.Fqrn, [.. tagged.Reads.Where(read => read.Key.Kind != ObjectKind.History)]);
        History history = await MiniOs.History(1);

        Assert.Equal((true, false), (tagged.HasReadHistory, plain.HasReadHistory));
        Assert.Equal(["HEAD4", "v1"], (await MapAsync(tagged, history)).Snapshots);
        Assert.Equal([WorkingSet.Trunk], (await MapAsync(plain, history)).Snapshots);
        Assert.Equal([WorkingSet.Trunk], (await MapAsync(tagged, null)).Snapshots);

        static async Task<BootProfile> MapAsync(RecordedBoot boot, History? history) =>
            (await BootProfiler.MapAsync(boot, MiniOs.Tree(1), history)).Value!;
    }

    [Fact]
    public async Task Profile_OfKeys_NamesFilesChunksAndCatalogsAndKeepsWhatHasNoName()
    {
        var strange = new ObjectKey(SHA1.HashData("strange"u8), DigestAlgorithm.Sha1, ObjectKind.Plain);
        List<CatalogChunk> chunks = [];
        await MiniOs.Tree(1).WalkAsync((catalog, _) => catalog.Walk(entry =>
        {
            if (entry.Path == "/cvm4/opt/app/blob.bin")
            {
                Assert.Null(catalog.ReadChunks(entry, chunks));
            }
        }));
        ObjectKey app = default;
        await MiniOs.Tree(1).WalkAsync((catalog, key) =>
        {
            app = catalog.Prefix == "/cvm4/opt/app" ? key : app;
            return null;
        });
        ObjectKey[] catalogs = [.. MiniOs.BootObjects(1).Where(key => key.Kind == ObjectKind.Catalog && key != app)];
        ObjectKey[] keys = [.. catalogs, app, chunks[0].Object, strange, chunks[1].Object];
        RecordedBoot boot = new(MiniOs.Fqrn, [.. keys.Select((key, i) => new BootRead(key, TimeSpan.FromMilliseconds(i)))]);

        IReadOnlyList<WorkingSetEntry> entries = (await BootProfiler.MapAsync(boot, MiniOs.Tree(1), null)).Value!.Entries;

        Assert.Equal(keys.Length - 1, entries.Count);
        Assert.All(
            entries.Take(catalogs.Length + 1), entry => Assert.True(entry is { IsCatalogOnly: true, IsLiteral: true, Ranges: null }));
        Assert.Equal("", entries[0].Path);
        WorkingSetEntry blob = entries[^2];
        Assert.Equal(("/cvm4/opt/app/blob.bin", true, false, catalogs.Length + 1.0),
            (blob.Path, blob.IsLiteral, blob.IsCatalogOnly, blob.Offset!.Value.TotalMilliseconds));
        Assert.Equal(chunks.Take(2).Select(chunk => new Stretch(chunk.Offset, chunk.SizeBytes)), blob.Ranges);
        Assert.Equal((null, strange), (entries[^1].Path, entries[^1].Key));
    }

    private static WorkingSet Merge(params BootProfile[] boots) => BootMerge.Merge(s_fqrn, "boot", boots, s_now);

    private static BootProfile Boot(params string[] paths) => new([""], [.. paths.Select((path, i) => At(path, i))], []);

    private static WorkingSetEntry At(string path, double milliseconds) =>
        new() { Path = path, IsLiteral = true, Offset = TimeSpan.FromMilliseconds(milliseconds) };
}
