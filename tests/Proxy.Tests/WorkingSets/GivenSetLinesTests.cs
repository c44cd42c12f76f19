using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.WorkingSets;

/// <summary>Each line of a trace or a list: what it means, and by which number people find one that means nothing.</summary>
public sealed class GivenSetLinesTests
{
    [Theory]
    [InlineData("1", true, false)]
    [InlineData("2", true, true)]
    [InlineData("3", true, true)]
    [InlineData("4", true, true)]
    [InlineData("5", false, false)]
    [InlineData("6", true, true)]
    [InlineData("7", false, false)]
    [InlineData("0", false, false)]
    [InlineData("-1", false, false)]
    public void Trace_Event_OpensOrLooksUpOrSaysNothing(string code, bool isTaken, bool isCatalogOnly)
    {
        IReadOnlyList<WorkingSetEntry> entries = GivenSets.ReadTrace($"\"1.0\",\"{code}\",\"/a\",\"x()\"", out int skipped).Value!;

        Assert.Equal(0, skipped);
        Assert.Equal(isTaken ? [("/a", isCatalogOnly, true)] : [], entries.Select(e => (e.Path, e.IsCatalogOnly, e.IsLiteral)));
    }

    [Fact]
    public void Trace_PathOnceLookedUpThenOpened_IsReadFromItsFirstPlace()
    {
        const string Csv = "\"99.5\",\"0\",\"\",\"begin\"\n\"100\",\"4\",\"/a\",\"lookup()\"\n\"90\",\"1\",\"/b\",\"open()\"\n"
            + "\"200\",\"1\",\"/a\",\"open()\"\n\"300\",\"4\",\"/b\",\"lookup()\"\n\"400\",\"1\",\"relative\",\"open()\"\n";

        IReadOnlyList<WorkingSetEntry> entries = GivenSets.ReadTrace(Csv, out _).Value!;

        Assert.Equal(
            [("/a", false, 0.5), ("/b", false, 0)], entries.Select(e => (e.Path, e.IsCatalogOnly, e.Offset!.Value.TotalMilliseconds)));
    }

    [Fact]
    public void Trace_PathLookedUpTwice_IsNotReadForThat() => Assert.Equal(
        [("/a", true)],
        GivenSets.ReadTrace("\"1\",\"4\",\"/a\",\"lookup()\"\n\"2\",\"4\",\"/a\",\"lookup()\"", out _).Value!
            .Select(entry => (entry.Path, entry.IsCatalogOnly)));

    [Theory]
    [InlineData("\"1\",\"1\",\"/a\"\"b\",\"open()\"", "/a\"b")]
    [InlineData("\"1\",\"1\",\"/a,b\"", "/a,b")]
    [InlineData("\uFEFF\"1\",\"1\",\"/a\"\r", "/a")]
    public void Trace_FieldInQuotes_IsTakenAsItIs(string line, string path) =>
        Assert.Equal([path], GivenSets.ReadTrace(line, out _).Value!.Select(entry => entry.Path));

    [Theory]
    [InlineData("\"4.")]
    [InlineData("\"4.5\",\"")]
    [InlineData("\"4.5\",\"x")]
    [InlineData("\"4.5\",\"-1\",\"/a")]
    [InlineData("\"4.5\",\"1\",\"/a\"x")]
    public void Trace_LineThatIsCut_IsSkipped(string line)
    {
        Assert.Empty(GivenSets.ReadTrace("\n" + line, out int skipped).Value!);
        Assert.Equal(1, skipped);
    }

    [Theory]
    [InlineData("\"x")]
    [InlineData("\"x\",\"1\",\"/a")]
    [InlineData("\"4.5\",\"x\",\"/a")]
    [InlineData("\"4.5\",\"1\"")]
    [InlineData("\"x\",\"1\",\"/a\"")]
    [InlineData("\"1\",\"x\",\"/a\"")]
    [InlineData("\"-1\",\"1\",\"/a\"")]
    [InlineData("/bin/sh")]
    public void Trace_LineOfSomethingElse_IsRefusedByTheNumberThatAnEditorShows(string line) => Assert.StartsWith(
        "Line 4 is not a line of the client's trace", GivenSets.ReadTrace("\"1\",\"1\",\"/a\"\n\n\r\n" + line, out _).Problem,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("/../x", "Line 4 is not a path: '/../x'")]
    [InlineData(" !x", "Line 4: '!x': lines with ! or ^")]
    [InlineData(" /cvmfs/b.example.org/x", "Line 4: '/cvmfs/b.example.org/x' is a path of b.example.org, not of a.example.org.")]
    public void PathList_LineThatCannotBeMeant_IsRefusedByTheNumberThatAnEditorShows(string line, string problem) => Assert.StartsWith(
        problem, GivenSets.ReadPaths("/bin/ls\n\n# x\n" + line, fqrn: Fqrn.Parse("a.example.org")).Problem, StringComparison.Ordinal);

    [Fact]
    public void PathList_BelowADirectory_IsRelativeToIt() => Assert.Equal(
        ["/cvm4/a/*", "/cvm4/b", "/cvm4/cvmfs/a.example.org/c"],
        GivenSets.ReadPaths(" a/* \r\n/b/\n#c\n/cvmfs/a.example.org/c", "/cvm4").Value!.Select(entry => entry.Path));

    [Theory]
    [InlineData("\"1\"", true)]
    [InlineData(" \n\"1\"", true)]
    [InlineData("\uFEFF \"1\"", true)]
    [InlineData("/bin/sh \"x\"", false)]
    [InlineData("", false)]
    public void IsTrace_ByItsFirstCharacter(string text, bool isTrace) => Assert.Equal(isTrace, GivenSets.IsTrace(text));

    [Theory]
    [InlineData("/cvmfs/a.example.org/x/y", "a.example.org", "/x/y")]
    [InlineData("/cvmfs/a.example.org/", "a.example.org", "/")]
    [InlineData("/cvmfs/a.example.org", "a.example.org", "/")]
    [InlineData("/cvmfs/lib/x.so", null, "/cvmfs/lib/x.so")]
    [InlineData("/cvmfs/", null, "/cvmfs/")]
    [InlineData("/x/cvmfs/a.b/c", null, "/x/cvmfs/a.b/c")]
    public void WithoutMount_Path_IsThatWithinTheRepository(string path, string? name, string rest)
    {
        Assert.Equal(name, GivenSets.WithoutMount(ref path));
        Assert.Equal(rest, path);
    }
}
