using System.Security.Cryptography;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.WorkingSets;

/// <summary>The text form of working sets, and what is refused of it.</summary>
public sealed class WorkingSetFileTests
{
    private static readonly ObjectKey s_key = new(SHA1.HashData("x"u8), DigestAlgorithm.Sha1, ObjectKind.Chunk);

    private static readonly WorkingSet s_set = new()
    {
        Name = "boot",
        Repository = Fqrn.Parse("a.example.org"),
        Source = WorkingSetSource.Given,
        Snapshots = ["v1", ""],
        Boots = 3,
        UpdatedAt = new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero),
        WholeDirectories = ["/etc"],
        Entries =
        [
            new() { Path = "", IsCatalogOnly = true },
            new() { Path = "/a*", IsLiteral = true, Share = 0.5, Offset = TimeSpan.Zero, Ranges = [new Stretch(0, 7), new Stretch(9, 1)] },
            new() { Key = s_key, Offset = TimeSpan.FromMilliseconds(12.5) },
        ],
    };

    [Fact]
    public void Read_OfWhatWasWritten_IsTheSame()
    {
        WorkingSet back = WorkingSetFile.Read(WorkingSetFile.Write(s_set)).Value!;

        Assert.Equal((s_set.Name, s_set.Repository, s_set.Source, s_set.Boots, s_set.UpdatedAt),
            (back.Name, back.Repository, back.Source, back.Boots, back.UpdatedAt));
        Assert.Equal(s_set.Snapshots, back.Snapshots);
        Assert.Equal(s_set.WholeDirectories, back.WholeDirectories);
        Assert.Equal(
            s_set.Entries.Select(e => (e.Path, e.IsLiteral, e.Key, e.IsCatalogOnly, e.Share, e.Offset)),
            back.Entries.Select(e => (e.Path, e.IsLiteral, e.Key, e.IsCatalogOnly, e.Share, e.Offset)));
        Assert.Equal([null, s_set.Entries[1].Ranges, null], back.Entries.Select(e => e.Ranges));
    }

    [Theory]
    [InlineData("""{"name":"n","repository":"a.example.org","entries":[{"path":"/a"}]}""")]
    [InlineData("""{"name":"n","repository":"a.example.org","snapshots":[],"entries":[{"path":"/a"}]}""")]
    public void Read_WithoutSnapshots_IsOfTheNewestRevision(string json)
    {
        WorkingSet set = WorkingSetFile.Read(Encoding.UTF8.GetBytes(json)).Value!;

        Assert.Equal([WorkingSet.Trunk], set.Snapshots);
        Assert.Empty(set.WholeDirectories);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("""{"name":"","repository":"a.example.org","entries":[]}""")]
    [InlineData("""{"repository":"a.example.org","entries":[]}""")]
    [InlineData("""{"name":"n","repository":"not a name","entries":[]}""")]
    [InlineData("""{"name":"n","repository":"a.example.org"}""")]
    [InlineData("""{"name":"n","repository":"a.example.org","snapshots":[null],"entries":[]}""")]
    [InlineData("""{"name":"n","repository":"a.example.org","wholeDirectories":["/a",null],"entries":[]}""")]
    public void Read_WithoutWhatASetNeeds_SaysSo(string json) => Assert.StartsWith(
        "It is not a working set:", WorkingSetFile.Read(Encoding.UTF8.GetBytes(json)).Problem, StringComparison.Ordinal);

    [Theory]
    [InlineData("nonsense")]
    [InlineData("""{"name":"n","repository":"a.example.org","entries":[],"other":1}""")]
    public void Read_SomethingElse_SaysSo(string json) => Assert.StartsWith(
        "It is not a working set in JSON:", WorkingSetFile.Read(Encoding.UTF8.GetBytes(json)).Problem, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"path":""}""", true)]
    [InlineData("""{"path":"/a","ranges":[[0,1]]}""", true)]
    [InlineData("""{"path":"/a","ranges":[[9223372036854775806,1]]}""", true)]
    [InlineData("""{"path":"/a","offsetMs":0}""", true)]
    [InlineData("""{"path":"/a","offsetMs":1e12}""", true)]
    [InlineData("""{"path":"/a","ranges":[]}""", true)]
    [InlineData("null", false)]
    [InlineData("{}", false)]
    [InlineData("""{"path":"/../a"}""", false)]
    [InlineData("""{"key":"nonsense"}""", false)]
    [InlineData("""{"path":"/a","key":"11f6ad8ec52a2984abaafd7c3b516503785c2072"}""", false)]
    [InlineData("""{"path":"/a","ranges":[[-1,1]]}""", false)]
    [InlineData("""{"path":"/a","ranges":[[0,0]]}""", false)]
    [InlineData("""{"path":"/a","ranges":[[0]]}""", false)]
    [InlineData("""{"path":"/a","ranges":[[0,1,2]]}""", false)]
    [InlineData("""{"path":"/a","ranges":[[9223372036854775807,1]]}""", false)]
    [InlineData("""{"path":"/a","offsetMs":-1}""", false)]
    [InlineData("""{"path":"/a","offsetMs":1.1e12}""", false)]
    public void Read_Entry_IsAPathOrAKeyOrRefusedByItsNumber(string entry, bool isGood)
    {
        string json = $$"""{"name":"n","repository":"a.example.org","entries":[{"key":"{{s_key}}"},{{entry}}]}""";

        Parsed<WorkingSet> read = WorkingSetFile.Read(Encoding.UTF8.GetBytes(json));

        Assert.Equal(isGood ? null : "Entry 2 has neither a path nor a key, or a malformed one.", read.Problem);
        Assert.Equal(isGood ? 2 : 0, read.Value?.Entries.Count ?? 0);
    }

    [Fact]
    public void ReadAll_OneOrAList_IsReadOrRefusedByItsNumber()
    {
        string one = Encoding.UTF8.GetString(WorkingSetFile.Write(s_set));

        Assert.Equal(["boot"], Names(one));
        Assert.Equal(["boot", "boot"], Names($" \r\n\t[{one},{one}]"));
        Assert.Empty(Names("[]"));
        Assert.StartsWith("Set 2: It is not a working set", Problem($"[{one},null]"), StringComparison.Ordinal);
        Assert.StartsWith("They are not working sets in JSON:", Problem("[nonsense"), StringComparison.Ordinal);

        static IEnumerable<string> Names(string json) => WorkingSetFile.ReadAll(Encoding.UTF8.GetBytes(json)).Value!.Select(s => s.Name);
        static string? Problem(string json) => WorkingSetFile.ReadAll(Encoding.UTF8.GetBytes(json)).Problem;
    }

    [Fact]
    public void ProblemOf_PublishedSet_ThatNamesMoreThanFilesOfItsRepository_SaysWhat()
    {
        Assert.Null(PublishedSets.ProblemOf(s_set, s_set.Repository));
        Assert.Contains("not of b.example.org", PublishedSets.ProblemOf(s_set, Fqrn.Parse("b.example.org")), StringComparison.Ordinal);
        Assert.Contains("A name has at most 100", PublishedSets.ProblemOf(s_set with { Name = "a/b" }, s_set.Repository),
            StringComparison.Ordinal);
        foreach (char wild in "*?[")
        {
            WorkingSet set = s_set with { Entries = [new() { Path = $"/x{wild}" }] };
            Assert.Contains("has patterns", PublishedSets.ProblemOf(set, set.Repository), StringComparison.Ordinal);
            Assert.Null(PublishedSets.ProblemOf(set with { Entries = [new() { Path = $"/x{wild}", IsLiteral = true }] }, set.Repository));
        }

        WorkingSetEntry entry = new() { Path = "/x" };
        Assert.Null(PublishedSets.ProblemOf(s_set with { Entries = [.. Enumerable.Repeat(entry, 50_000)] }, s_set.Repository));
        Assert.Contains("more than 50000 entries",
            PublishedSets.ProblemOf(s_set with { Entries = [.. Enumerable.Repeat(entry, 50_001)] }, s_set.Repository),
            StringComparison.Ordinal);
    }
}
