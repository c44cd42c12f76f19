using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Tests.WorkingSets;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Snapshots;

/// <summary>A working set in terms of one snapshot: which objects, in which order, and what of it is not there.</summary>
public sealed class ResolvedSetTests
{
    private static readonly Manifest s_manifest = MiniOs.Manifest(2);

    [Fact]
    public async Task Resolve_Entries_CatalogsFirstThenEachInItsPlaceThenWhatWholeDirectoriesAdd()
    {
        var bare = new ObjectKey(SHA1.HashData("bare"u8), DigestAlgorithm.Sha1, ObjectKind.Plain);
        WorkingSet set = Set("/cvm4/etc/release", "/no/such", "/cvm4/etc", "/cvm4/lib/*.none") with
        {
            WholeDirectories = ["/nowhere", "/cvm4/lib", "/cvm4/lib"],
        };
        set = set with
        {
            Entries =
            [
                .. set.Entries, new WorkingSetEntry { Key = bare }, new WorkingSetEntry { Path = "/none/x", IsCatalogOnly = true },
                new WorkingSetEntry { Path = "/cvm4/etc/services" },
            ],
        };

        ResolvedSet resolved = await ResolveAsync(set, null);

        Assert.Equal(
            ["", "/cvm4", "/cvm4/etc", "/cvm4/etc/release", null, "/cvm4/etc/services", "/cvm4/lib/libc.so.6", "/cvm4/lib/libcrypt.so.1",
                "/cvm4/lib/libm.so.6", "/cvm4/lib/libselinux.so.1", "/cvm4/lib/libz.so.1"],
            resolved.Objects.Select(item => item.Path).Distinct());
        Assert.Equal(bare, resolved.Objects.Single(item => item.Path is null).Key);
        Assert.Equal(
            [("/no/such", false), ("/cvm4/etc", true), ("/cvm4/lib/*.none", false)],
            resolved.Unmatched.Select(entry => (entry.Entry.Path, entry.IsDirectory)));
        Assert.Equal(resolved.Objects.Count, resolved.Objects.Select(item => item.Key).Distinct().Count());
    }

    [Fact]
    public async Task Resolve_OfAManifest_BeginsWithItsCertificateAndForTagsItsHistory()
    {
        WorkingSet trunk = Set("/cvm4/etc/release");
        WorkingSet tagged = trunk with { Snapshots = [WorkingSet.Trunk, "HEAD4"] };
        ObjectKey certificate = s_manifest.Certificate!.Value;
        ObjectKey history = s_manifest.History!.Value;

        Assert.Equal([certificate, s_manifest.RootCatalog], (await ResolveAsync(trunk, s_manifest)).Objects.Take(2).Select(o => o.Key));
        Assert.Equal([certificate, history, s_manifest.RootCatalog],
            (await ResolveAsync(tagged, s_manifest)).Objects.Take(3).Select(o => o.Key));
        Assert.Equal(s_manifest.RootCatalog, (await ResolveAsync(tagged, null)).Objects[0].Key);
    }

    [Fact]
    public async Task NameOf_Object_IsThePathThatNeedsIt()
    {
        ResolvedSet resolved = await ResolveAsync(Set("/cvm4/etc/release"), s_manifest);

        Assert.Equal("", resolved.NameOf(s_manifest.RootCatalog));
        Assert.Equal("/cvm4/etc/release", resolved.NameOf(resolved.Objects[^1].Key));
        Assert.Null(resolved.NameOf(s_manifest.Certificate!.Value));
        Assert.Null(resolved.NameOf(s_manifest.History!.Value));
    }

    [Theory]
    [InlineData("/cvm4/lib/lib[z]*", 5)]
    [InlineData("/cvm4/lib/libz*", 4)]
    [InlineData("/cvm4/lib", 0)]
    [InlineData("/cvm4/li", 5)]
    public async Task Resolve_WhatIsExcluded_IsLeftOutWithAllBelow(string excluded, int files)
    {
        Assert.True(PathPattern.TryParse(excluded, out PathPattern pattern));

        ResolvedSet resolved = await ResolveAsync(Set("/cvm4/lib/*") with { Excluded = [pattern] }, null);

        Assert.Equal(files, resolved.Objects.Select(item => item.Path).Distinct().Count(path => path!.StartsWith("/cvm4/lib/lib",
            StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Resolve_MarkersOfThePublisher_OnlyWhereTheyAreNamed()
    {
        ResolvedSet whole = await ResolveAsync(Set("/cvm4/etc/release") with { WholeDirectories = ["/cvm4/etc"] }, null);
        ResolvedSet named = await ResolveAsync(Set("/cvm4/etc/.cvmfscatalog"), null);

        Assert.Contains("/cvm4/etc/services", whole.Objects.Select(item => item.Path));
        Assert.DoesNotContain("/cvm4/etc/.cvmfscatalog", whole.Objects.Select(item => item.Path));
        Assert.Contains("/cvm4/etc/.cvmfscatalog", named.Objects.Select(item => item.Path));
    }

    [Fact]
    public async Task WholeDirectories_AreThoseOfWhichNearlyAllOfAtLeastFourFilesIsRead()
    {
        using SmallSnapshot snapshot = new(
            ["/nine/", .. Files("/nine", 10), "/eight/", .. Files("/eight", 10), "/four/", .. Files("/four", 4), "/three/",
            .. Files("/three", 3), "/marked/", "/marked/.cvmfscatalog", .. Files("/marked", 4), "/looked/", .. Files("/looked", 4)]);
        IEnumerable<WorkingSetEntry> read = Files("/nine", 9).Concat(Files("/eight", 8)).Concat(Files("/four", 4))
            .Concat(Files("/three", 3)).Concat(Files("/marked", 4)).Append("/looked/*")
            .Select(path => new WorkingSetEntry { Path = path })
            .Concat(Files("/looked", 4).Select(path => new WorkingSetEntry { Path = path, IsCatalogOnly = true }));

        Parsed<IReadOnlyList<string>> whole = await WholeDirectoryRule.FindAsync(snapshot.Tree, read);

        Assert.Equal(["/four", "/marked", "/nine"], whole.Value);
    }

    private static string[] Files(string directory, int count) => [.. Enumerable.Range(0, count).Select(i => $"{directory}/f{i}")];

    private static WorkingSet Set(params string[] paths) => new()
    {
        Name = "set",
        Repository = MiniOs.Fqrn,
        Source = WorkingSetSource.Given,
        Snapshots = [WorkingSet.Trunk],
        Entries = [.. paths.Select(path => new WorkingSetEntry { Path = path })],
    };

    private static async Task<ResolvedSet> ResolveAsync(WorkingSet set, Manifest? manifest) =>
        (await ResolvedSet.ResolveAsync(set, MiniOs.Tree(2), manifest)).Value!;
}
