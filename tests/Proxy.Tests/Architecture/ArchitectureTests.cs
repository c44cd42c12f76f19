using System.Text;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Architecture;

/// <summary>
/// The house has one direction. The table in <c>docs/develop/architecture.md</c> lists which room may use which; a new arrow is a change of
/// that table, seen in review. Run the tests with <c>BREAKWATER_WRITE_ARROWS=1</c> to write the table anew.
/// </summary>
public class ArchitectureTests
{
    private const string Store = "Breakwater.CacheStore";

    [Fact]
    public void Folders_AtAnyDepth_FormNoCircle()
    {
        string circles = string.Join('\n', Arrows.Circles(Arrows.All));
        Assert.True(circles.Length == 0, circles);
    }

    [Fact]
    public void Circles_AnArrowBackIsAdded_IsFound()
    {
        Arrow some = Arrows.All.First(a => a.From.StartsWith("Breakwater.Proxy.Fetching", StringComparison.Ordinal));
        Assert.NotEmpty(Arrows.Circles([.. Arrows.All, new Arrow(some.To, some.From, "added by this test")]));
    }

    [Theory]
    [InlineData("arrows")]
    [InlineData("arrows of the store")]
    public void Rooms_UseWhatTheTableAllows_AndNothingElse(string name)
    {
        string page = Checkout.PathOf("docs", "develop", "architecture.md");
        string text = File.ReadAllText(page);
        string opening = $"<!-- {name} -->", closing = $"<!-- /{name} -->";
        int begin = text.IndexOf(opening, StringComparison.Ordinal) + opening.Length, end = text.IndexOf(closing, StringComparison.Ordinal);
        string table = name == "arrows"
            ? Table(Arrows.All, Arrows.RoomOf)
            : Table(Arrows.All.Where(a => IsOfStore(a.From) && IsOfStore(a.To)), Arrows.StoreRoomOf);
        if (Environment.GetEnvironmentVariable("BREAKWATER_WRITE_ARROWS") == "1")
        {
            File.WriteAllText(page, text[..begin] + "\n" + table + text[end..]);
            return;
        }

        Assert.Equal(text[begin..end].Trim(), table.Trim());
    }

    [Fact]
    public void Faster_IsKnownByTheStoresIndexAndLog_AndNobodyElse() =>
        Assert.All(Users("Breakwater", static t => t.StartsWith("FASTER.", StringComparison.Ordinal)),
            static user => Assert.Matches(@"^Breakwater\.CacheStore\.(Index|Log)\.", user));

    [Fact]
    public void CacheStore_AsksTheDisk_InTheRoomDiskOnly() =>
        Assert.All(
            Users(Store, static t => IsFileAccess(t)
                || t is Store + ".Disk.Posix" or Store + ".Disk.WholeFile" or Store + ".Disk.StoreFolder"),
            static user => Assert.Matches(@"^Breakwater\.CacheStore\.(Disk\.|MappedRun uses )", user)); // that one asks about memory

    /// <summary>Beside it stand those who make the index, load it at a start, and say how large it is.</summary>
    [Fact]
    public void Index_HasOneWriter() =>
        Assert.All(Users(Store, static t => t == Store + ".Index.ObjectIndex"),
            static user => Assert.Matches(@"^Breakwater\.CacheStore\.(Index\.|Store\.(StoreParts|StoreMemory|Recovery))", user));

    [Fact]
    public void CacheStore_KnowsNoHttp()
    {
        string[] users =
            [.. Users("Breakwater.CacheStore", t => t.StartsWith("System.Net", StringComparison.Ordinal)
            || t.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal)
            || t.StartsWith("Breakwater.Proxy", StringComparison.Ordinal)
            || t.StartsWith("Breakwater.Repositories", StringComparison.Ordinal))];
        Assert.Empty(users);
    }

    [Fact]
    public void Repositories_UseNoNetwork_AndFilesOnlyWhereTheyMust()
    {
        Assert.Empty(
            Users("Breakwater.Repositories", t => t.StartsWith("System.Net", StringComparison.Ordinal)
            || t.StartsWith("Breakwater.Proxy", StringComparison.Ordinal)));
        Assert.All(Users("Breakwater.Repositories", IsFileAccess),
            user => Assert.Matches("^Breakwater.Repositories.(MasterKeys|UntrustedDatabase)", user));
    }

    [Theory]
    [InlineData("Breakwater.Proxy.Requests")]
    [InlineData("Breakwater.Proxy.Outcomes")]
    public void PureRooms_DoNoInputOrOutput(string room) =>
        Assert.Empty(
        Users(room, t => IsFileAccess(t) || t.StartsWith("System.Net.Sockets", StringComparison.Ordinal)
        || t.StartsWith("System.Net.Http.HttpClient", StringComparison.Ordinal)));

    private static bool IsFileAccess(string type) =>
        type is "System.IO.File" or "System.IO.Directory" or "System.IO.FileStream" or "System.IO.RandomAccess" or "System.IO.FileInfo"
        or "System.IO.DirectoryInfo" or "System.IO.DriveInfo";

    private static IEnumerable<string> Users(string folder, Func<string, bool> isForbidden) =>
        from type in Arrows.Product.Types
        where type.FullName.StartsWith(folder + ".", StringComparison.Ordinal)
        from dependency in type.Dependencies
        where isForbidden(dependency.Target.FullName)
        select $"{type.FullName} uses {dependency.Target.FullName}";

    private static bool IsOfStore(string folder) => folder.StartsWith(Store, StringComparison.Ordinal);

    private static string Table(IEnumerable<Arrow> arrows, Func<string, string> roomOf)
    {
        var text = new StringBuilder("| room | uses |\n|---|---|\n");
        IEnumerable<IGrouping<string, string>> rooms = arrows
            .Select(a => (From: roomOf(a.From), To: roomOf(a.To))).Where(a => a.From != a.To).Distinct()
            .GroupBy(a => a.From, a => a.To).OrderBy(g => g.Key, StringComparer.Ordinal);
        foreach (IGrouping<string, string> room in rooms)
        {
            text.Append("| ").Append(room.Key).Append(" | ").AppendJoin(", ", room.Order(StringComparer.Ordinal)).Append(" |\n");
        }

        return text.ToString();
    }
}
