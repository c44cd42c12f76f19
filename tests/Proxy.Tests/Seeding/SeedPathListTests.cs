using System.Text;
using Breakwater.Proxy.Seeding.Export;
using Breakwater.Proxy.Snapshots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Seeding;

public class SeedPathListTests
{
    private const string Fqrn = "a.example.org";

    [Fact]
    public void Specification_OfTheClient_MeansWhatItMeansThere()
    {
        SeedPathList list = Read("/usr/*\n^/etc/*\n^/etc/passwd\n/bin/sh\n!/usr/share/doc\n! /usr/lib/*.a\n");

        WorkingSet set = list.ToSet(Fqrn, []);
        Assert.True(list.IsSpecification);
        Assert.Equal(["/usr/**", "/etc/*", "/etc/passwd", "/bin/sh"], set.Entries.Select(entry => entry.Path));
        Assert.True(IsExcluded(set, "/usr/share/doc/x/y"));
        Assert.True(IsExcluded(set, "/usr/lib/libc.a"));
        Assert.False(IsExcluded(set, "/usr/share/docs"));
        Assert.False(IsExcluded(set, "/usr/lib/libc.so"));
    }

    [Fact]
    public void List_WithoutMarks_KeepsItsGlobs() =>
    Assert.Equal(["/usr/*", "/etc/**"], Read("/usr/*\n\n# all\n/etc/**").ToSet(Fqrn, []).Entries.Select(entry => entry.Path));

    /// <summary>In ISO 8859-1, as an old tree has it, and the same list in UTF-16, as an editor may write it.</summary>
    [Fact]
    public void List_NamesThatAreNotUtf8_AreTheirBytes()
    {
        byte[] name = [.. "/caf"u8, 0xE9, .. "/menu"u8];

        SeedPathList list = SeedPathList.Read([.. name, (byte)'\n', .. "!/caf"u8, 0xE8, (byte)'\n'], [Fqrn]).Value!;

        WorkingSet set = list.ToSet(Fqrn, []);
        Assert.Equal(PathKey.Of(name), PathKey.Of(Assert.Single(set.Entries).Path!));
        Assert.True(IsExcluded(set, PathText.Of([.. "/caf"u8, 0xE8])));
        Assert.False(IsExcluded(set, PathText.Of(name)));
        Assert.Equal("/café", SeedPathList.Read([0xFF, 0xFE, .. Encoding.Unicode.GetBytes("/café")], [Fqrn]).Value!
            .ToSet(Fqrn, []).Entries.Single().Path);
    }

    [Fact]
    public void List_OfTwoRepositories_GivesEachItsOwn()
    {
        SeedPathList list =
            SeedPathList.Read("/cvmfs/a.example.org/bin/a\n/cvmfs/b.example.org/bin/b\n/bin/both\n!/cvmfs/b.example.org/bin/x",
            [Fqrn, "b.example.org"]).Value!;

        Assert.Equal(["/bin/a", "/bin/both"], list.ToSet(Fqrn, []).Entries.Select(entry => entry.Path));
        Assert.Equal(["/bin/b", "/bin/both"], list.ToSet("b.example.org", []).Entries.Select(entry => entry.Path));
        Assert.Empty(list.ToSet(Fqrn, []).Excluded);
        Assert.Single(list.ToSet("b.example.org", []).Excluded);
    }

    [Theory]
    [InlineData("http://s1.example.org/cvmfs/a.example.org/data/ab/cdef0123456789abcdef0123456789abcdef01C")]
    [InlineData("/cvmfs/a.example.org/data/ab/cdef0123456789abcdef0123456789abcdef01C")]
    public void RequestedUrl_IsItsObject(string url) => Assert.NotNull(Assert.Single(Read(url).ToSet(Fqrn, []).Entries).Key);

    [Theory]
    [InlineData("/cvmfs/other.example.org/bin/sh", "other.example.org")]
    [InlineData("/cvmfs/other.example.org/data/ab/cdef0123456789abcdef0123456789abcdef01C", "other.example.org")]
    [InlineData("/bin/sh\n/../x", "Line 2")]
    [InlineData("/bin/sh\n!", "Line 2")]
    [InlineData("", "names no path")]
    [InlineData("# nothing\n", "names no path")]
    [InlineData("!/usr", "names no path")]
    [InlineData("\"1.0\",\"0\",\"\",\"init\"\n", "names no path")]
    public void List_ThatCannotBeMeant_IsRefusedByName(string text, string named) =>
        Assert.Contains(named, SeedPathList.Read(text, [Fqrn]).Problem, StringComparison.Ordinal);

    private static SeedPathList Read(string text) => SeedPathList.Read(text, [Fqrn]).Value!;

    private static bool IsExcluded(WorkingSet set, string path) => set.Excluded.Any(pattern => pattern.MatchesOrHolds(path));
}
