using Breakwater.Proxy.Commands.Publish.Catalogs;
using Breakwater.Proxy.Commands.Publish.Tree;

namespace Breakwater.Proxy.Tests.Commands.Publish;

/// <summary>Where nested catalogs begin, at the limits.</summary>
public sealed class CatalogPlanTests
{
    private readonly TreeNode _root = Trees.Root();

    [Theory]
    [InlineData(1000, 2000, true)]      // 1 + 1001 + 1001 entries are more than 2,000: the heaviest, of two the first, is cut off
    [InlineData(1000, 2002, true)]
    [InlineData(1000, 2003, false)]
    [InlineData(998, 100, false)]       // a directory of 999 entries gets none for its size
    [InlineData(999, 100, true)]
    public void Directories_BeyondTheLimit_AreCutOffTheHeaviestFirst(int files, int maxEntries, bool isCut)
    {
        TreeNode first = Trees.Directory(_root, "a", files);
        TreeNode second = Trees.Directory(_root, "b", files);

        new CatalogPlan(maxEntries, _ => false).Apply(_root);

        Assert.Equal(isCut, first.IsNested);
        Assert.Equal(isCut && maxEntries < 1000, second.IsNested);
    }

    [Fact]
    public void Directories_OfSeveralSizes_AreCutUntilTheRestFits()
    {
        TreeNode small = Trees.Directory(_root, "small", 1100);
        TreeNode large = Trees.Directory(_root, "large", 1300);
        TreeNode middle = Trees.Directory(_root, "middle", 1200);

        // 1 + 1101 + 1301 + 1201; without the large one, which leaves an entry, 2304; without the middle one, too, 1104.
        new CatalogPlan(1104, _ => false).Apply(_root);

        Assert.Equal((false, true, true), (small.IsNested, large.IsNested, middle.IsNested));
    }

    [Theory]
    [InlineData(498, false)]
    [InlineData(499, true)]             // half of what makes one worth it
    public void Directory_ThatWasCutOff_StaysSoWhileItIsWorthIt(int files, bool isNested)
    {
        TreeNode before = Trees.Directory(_root, "before", files);
        TreeNode other = Trees.Directory(_root, "other", files);

        new CatalogPlan(50_000, key => key == before.Key).Apply(_root);

        Assert.Equal((isNested, false), (before.IsNested, other.IsNested));
    }

    [Fact]
    public void Directory_WithAMarker_HasACatalogOfAnySize()
    {
        TreeNode marked = Trees.Directory(_root, "marked");
        Trees.File(marked, ".cvmfscatalog");
        TreeNode fake = Trees.Directory(_root, "fake");
        Trees.Directory(fake, ".cvmfscatalog");         // no file

        new CatalogPlan(50_000, _ => false).Apply(_root);

        Assert.Equal((true, false), (marked.IsNested, fake.IsNested));
        Assert.Equal(["/marked"], CatalogRows.NestedIn(_root).Select(node => System.Text.Encoding.ASCII.GetString(node.Path())));
    }

    [Fact]
    public void Marker_InTheRoot_IsTakenOutAndSaid()
    {
        Trees.File(_root, "a");
        Trees.File(_root, ".cvmfscatalog");
        List<string> notes = [];

        RootMarker.Remove(_root, notes);
        RootMarker.Remove(_root, notes);

        Assert.Single(notes);
        Assert.Equal("a", System.Text.Encoding.ASCII.GetString(Assert.Single(_root.Children!).Name));
    }
}
