using Breakwater.CacheStore.Documents;
using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Tests.Cluster;
using Breakwater.Proxy.Tests.TestSupport;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.WorkingSets;

/// <summary>Sets that are kept: what a restart finds, how many, and what other nodes are told of them.</summary>
public sealed class WorkingSetStoreTests : IDisposable
{
    private static readonly Fqrn s_one = Fqrn.Parse("a.example.org");
    private static readonly Fqrn s_other = Fqrn.Parse("b.example.org");
    private readonly HeldDocuments _documents = new();
    private readonly FakeTimeProvider _time = new();
    private readonly TestSite _site = new();

    public void Dispose() => _site.Dispose();

    [Fact]
    public async Task Sets_AfterARestart_AreThoseThatWereKept()
    {
        WorkingSetStore sets = Open();
        Assert.True(await sets.PutAsync(Set(s_one, "x")));
        Assert.True(await sets.PutAsync(Set(s_one, "y")));
        Assert.True(await sets.PutAsync(Set(s_other, "x")));
        Assert.True(sets.Remove(s_one, "y"));
        Assert.False(sets.Remove(s_one, "y"));
        await _documents.PutAsync("workingset/a.example.org/z", new StoredDocument("{"u8.ToArray(), default, _time.GetUtcNow()));
        await _documents.PutAsync("other/a.example.org/x", new StoredDocument("{"u8.ToArray(), default, _time.GetUtcNow()));

        foreach (WorkingSetStore either in (WorkingSetStore[])[sets, Open()])
        {
            Assert.Equal([(s_one, "x"), (s_other, "x")], either.All.Select(set => (set.Repository, set.Name)));
            Assert.Equal("x", Assert.Single(either.Of(s_one)).Name);
            Assert.NotNull(either.Find(s_one, "x"));
            Assert.Null(either.Find(s_one, "y"));
            Assert.Equal((true, false), (either.Any(s_other), either.Any(Fqrn.Parse("c.example.org"))));
        }
    }

    [Fact]
    public async Task Put_WhatCannotBeKept_IsInForceUntilTheEnd()
    {
        WorkingSetStore sets = Open();
        WorkingSet set = Set(s_one, "x");
        int length = WorkingSetFile.Write(set).Length;

        _documents.MaxDocumentBytes = length - 1;
        Assert.False(await sets.PutAsync(set));
        Assert.NotNull(sets.Find(s_one, "x"));
        Assert.Empty(Open().All);

        _documents.MaxDocumentBytes = length;
        Assert.True(await sets.PutAsync(set));
        Assert.Single(Open().All);

        _documents.IsRefusing = true;
        Assert.False(await sets.PutAsync(Set(s_one, "y")));
        Assert.NotNull(sets.Find(s_one, "y"));
    }

    [Fact]
    public async Task Put_MoreLearnedSetsThanAreKept_TheOldestGoAndGivenOnesStay()
    {
        WorkingSetStore sets = Open();
        await sets.PutAsync(Set(s_one, "given", 0) with { Source = WorkingSetSource.Given });
        for (int i = 0; i < WorkingSetStore.MaxLearned; i++)
        {
            await sets.PutAsync(Set(s_one, $"s{i}", 1 + i));
        }

        Assert.Equal(WorkingSetStore.MaxLearned + 1, sets.All.Count);
        await sets.PutAsync(Set(s_other, "old", 0));

        Assert.Equal(WorkingSetStore.MaxLearned + 1, sets.All.Count);
        Assert.Null(sets.Find(s_one, "s0"));
        Assert.NotNull(sets.Find(s_one, "s1"));
        Assert.NotNull(sets.Find(s_one, "given"));
        Assert.NotNull(sets.Find(s_other, "old"));
    }

    [Theory]
    [InlineData(WorkingSetStore.MaxLearnedEntries - 1, true)]
    [InlineData(WorkingSetStore.MaxLearnedEntries, false)]
    public async Task Put_MoreEntriesThanAreKept_TheOldestSetGoes(int entries, bool staysOld)
    {
        _documents.MaxDocumentBytes = 0; // the sets in force alone
        WorkingSetStore sets = Open();
        await sets.PutAsync(Set(s_one, "old", 1));

        await sets.PutAsync(Set(s_one, "large", 2) with { Entries = [.. Enumerable.Repeat(new WorkingSetEntry { Path = "" }, entries)] });

        Assert.Equal(staysOld, sets.Find(s_one, "old") is not null);
        Assert.NotNull(sets.Find(s_one, "large"));
    }

    [Fact]
    public async Task Versions_OfLearnedSets_ChangeWithEachThingThatOtherNodesMayLack()
    {
        WorkingSetStore sets = Open();
        var learning = new NodeLearning(new SiteBoots(_site.Nodes), sets, _site.Nodes);
        await sets.PutAsync(Set(s_one, "given") with { Source = WorkingSetSource.Given });
        Assert.Empty(NodeLearning.Versions(sets));
        Assert.Equal("[]", System.Text.Encoding.UTF8.GetString(learning.WriteSets(s_one)));

        HashSet<string> versions = [];
        WorkingSet set = Set(s_one, "x", 1);
        foreach (WorkingSet changed in (WorkingSet[])
        [
            set, set with { Boots = 2 }, set with { Entries = [] }, set with { UpdatedAt = set.UpdatedAt.AddTicks(1) },
            set with { Name = "y" },
        ])
        {
            await sets.PutAsync(changed);
            Assert.True(versions.Add(NodeLearning.Versions(sets)[s_one]));
        }

        Assert.Equal([s_one], NodeLearning.Versions(sets).Keys);
        Assert.Equal(["x", "y"], WorkingSetFile.ReadAll(learning.WriteSets(s_one)).Value!.Select(one => one.Name));
        Assert.Empty(BootFile.Read(s_one, learning.WriteBoots(s_one))!);
    }

    private static WorkingSet Set(Fqrn repository, string name, int minutes = 0) => new()
    {
        Name = name,
        Repository = repository,
        Source = WorkingSetSource.Learned,
        Snapshots = [WorkingSet.Trunk],
        Entries = [new WorkingSetEntry { Path = "/x" }],
        Boots = 1,
        UpdatedAt = new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(minutes),
    };

    private WorkingSetStore Open() => new(_documents, _time, NullLogger<WorkingSetStore>.Instance);
}
