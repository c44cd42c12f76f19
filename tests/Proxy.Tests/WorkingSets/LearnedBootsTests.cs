using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.WorkingSets;

public class LearnedBootsTests
{
    [Fact]
    public void Of_LearnedAndGivenSets_IsAllThatBootsTaught()
    {
        WorkingSet? boot =
            LearnedBoots.Of([Set("boot-a", "a", "/x"), Set("boot-trunk", "", "/y"), Set("given", "b", "/z", WorkingSetSource.Given)]);

        Assert.NotNull(boot);
        Assert.Equal("boot", boot.Name);
        Assert.Equal(["", "a"], boot.Snapshots.Order());
        Assert.Equal(["/x", "/y"], boot.Entries.Select(entry => entry.Path).Order());
        Assert.Equal(2, boot.Boots);
    }

    /// <summary>The set of the most boots comes first; what several name is there once, and no sum overflows.</summary>
    [Fact]
    public void Of_LearnedSets_TheMostProvenComesFirst()
    {
        WorkingSet few = Set("boot-a", "a", "/x") with { WholeDirectories = ["/d", "/e"] };
        WorkingSet many = Set("boot-b", "a", "/y") with { WholeDirectories = ["/d"], Boots = int.MaxValue };

        WorkingSet boot = LearnedBoots.Of([few, many])!;

        Assert.Equal(["/y", "/x"], boot.Entries.Select(entry => entry.Path));
        Assert.Equal(["/d", "/e"], boot.WholeDirectories);
        Assert.Equal(["a"], boot.Snapshots);
        Assert.Equal(int.MaxValue, boot.Boots);
    }

    [Fact]
    public void Of_NothingLearned_IsNothing() => Assert.Null(LearnedBoots.Of([Set("given", "b", "/z", WorkingSetSource.Given)]));

    private static WorkingSet Set(string name, string tag, string path, WorkingSetSource source = WorkingSetSource.Learned) => new()
    {
        Name = name,
        Repository = Fqrn.Parse("x.example.org"),
        Source = source,
        Snapshots = [tag],
        Entries = [new WorkingSetEntry { Path = path }],
        Boots = 1,
    };
}
