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
