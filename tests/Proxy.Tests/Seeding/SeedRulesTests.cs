using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Seeding.Export;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Snapshots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Seeding;

/// <summary>What an index, its sums and the lists of a bundle may have, on both sides of each limit.</summary>
public sealed class SeedRulesTests
{
    private const string Hash = "0123456789abcdef0123456789abcdef01234567";
    private const string F60 = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    private const string D60 = "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";

    private static readonly Dictionary<string, Func<SeedIndex, SeedIndex>> s_changes = new()
    {
        ["as it is"] = index => index,
        ["another format"] = index => index with { Format = "tree" },
        ["a format of 60 letters"] = index => index with { Format = new string('f', 60) },
        ["a format of 61 letters"] = index => index with { Format = new string('f', 61) },
        ["a name of 100 letters"] = index => index with { Name = new string('n', 100) },
        ["a name of 101 letters"] = index => index with { Name = new string('n', 101) },
        ["a name of a point"] = index => index with { Name = "." },
        ["a name with all marks"] = index => index with { Name = "0.-_+Z" },
        ["no repository"] = index => index with { Repositories = [] },
        ["1000 repositories"] = index => index with { Repositories = Many(1000) },
        ["1001 repositories"] = index => index with { Repositories = Many(1001) },
        ["negative objects"] = index => index with { Objects = -1 },
        ["negative bytes"] = index => index with { ObjectBytes = -1 },
        ["negative links"] = index => index with { Links = -1 },
        ["negative inherited"] = index => index with { Inherited = -1 },
        ["no objects at all"] = index => index with { Objects = 0, ObjectBytes = 0 },
        ["most objects"] = index => index with { Objects = SeedIndex.MaxObjects, Inherited = SeedIndex.MaxObjects },
        ["more objects"] = index => index with { Objects = SeedIndex.MaxObjects + 1 },
        ["more inherited"] = index => index with { Inherited = SeedIndex.MaxObjects + 1 },
        ["a digest of 63"] = index => index with { Contents = new string('a', 63) },
        ["a digest of 65"] = index => index with { Contents = new string('a', 65) },
        ["a digest in capitals"] = index => index with { Contents = new string('A', 64) },
        ["a repository without a point"] = index => index with { Repositories = [One("nodots")] },
        ["a repository of 60 letters"] = index => index with { Repositories = [One(new string('a', 58) + ".b")] },
        ["a repository of 61 letters"] = index => index with { Repositories = [One(new string('a', 59) + ".b")] },
        ["repositories out of order"] = index => index with { Repositories = [One("b.example.org"), One("a.example.org")] },
        ["a repository twice"] = index => index with { Repositories = [One("a.example.org"), One("a.example.org")] },
        ["a document of a stranger"] = index => index with { Documents = [Document("cvmfs/c.example.org/.cvmfspublished")] },
        ["an object as a document"] = index => index with { Documents = [Document($"cvmfs/a.example.org/data/01/{Hash[2..]}")] },
        ["a document twice"] = index => index with { Documents = [Document(SeedPath.Inherited), Document(SeedPath.Inherited)] },
        ["a long document's name"] = index => index with { Documents = [Document(new string('d', 70))] },
        ["a document of the bundle"] = index => index with { Documents = [Document(SeedPath.Inherited)] },
    };

    [Theory]
    [InlineData("as it is", null)]
    [InlineData("another format", "format at offset 7: is 'tree'; this release reads breakwater-seed/1.")]
    [InlineData("a format of 60 letters", "format at offset 7: is '" + F60 + "'; this")]
    [InlineData("a format of 61 letters", "format at offset 7: is '" + F60 + "…'; this")]
    [InlineData("a name of 100 letters", null)]
    [InlineData("a name of 101 letters", "name at offset 7: a seed's name has 1 to 100 letters")]
    [InlineData("a name of a point", "name at offset 7: a seed's name has 1 to 100 letters")]
    [InlineData("a name with all marks", null)]
    [InlineData("no repository", "repositories at offset 7: must have 1 to 1000.")]
    [InlineData("1000 repositories", null)]
    [InlineData("1001 repositories", "repositories at offset 7: must have 1 to 1000.")]
    [InlineData("negative objects", "objects at offset 7: a count is negative.")]
    [InlineData("negative bytes", "objects at offset 7: a count is negative.")]
    [InlineData("negative links", "objects at offset 7: a count is negative.")]
    [InlineData("negative inherited", "objects at offset 7: a count is negative.")]
    [InlineData("no objects at all", null)]
    [InlineData("most objects", null)]
    [InlineData("more objects", "objects at offset 7: states more than 4000000 objects.")]
    [InlineData("more inherited", "objects at offset 7: states more than 4000000 objects.")]
    [InlineData("a digest of 63", "contents at offset 7: is not a SHA-256.")]
    [InlineData("a digest of 65", "contents at offset 7: is not a SHA-256.")]
    [InlineData("a digest in capitals", "contents at offset 7: is not a SHA-256.")]
    [InlineData("a repository without a point", "repositories[0].fqrn at offset 7: is not a repository's name.")]
    [InlineData("a repository of 60 letters", null)]
    [InlineData("a repository of 61 letters", "repositories[0].fqrn at offset 7: is not a repository's name.")]
    [InlineData("repositories out of order", "repositories[1].fqrn at offset 7: is out of order or twice there.")]
    [InlineData("a repository twice", "repositories[1].fqrn at offset 7: is out of order or twice there.")]
    [InlineData("a document of a stranger", "documents at offset 7: names 'cvmfs/c.example.org/.cvmfspublished', which no bundle has.")]
    [InlineData("an object as a document", "documents at offset 7: names 'cvmfs/a.example.org/data/01/")]
    [InlineData("a document twice", "documents at offset 7: names one twice.")]
    [InlineData("a long document's name", "documents at offset 7: names '" + D60 + "…', which")]
    [InlineData("a document of the bundle", null)]
    public void Index_WithThisInIt_IsTakenOrRefusedByItsField(string what, string? expected)
    {
        byte[] bytes = s_changes[what](new SmallBundle().Index()).ToBytes();
        SeedIndex Read() => SeedIndex.Read(bytes, 7, IndexChecksums.Of(bytes), 1000);
        if (expected is null)
        {
            Assert.Equal(bytes, Read().ToBytes());
        }
        else
        {
            SeedRefusedException refused = Assert.Throws<SeedRefusedException>(Read);
            Assert.StartsWith($"{SeedPath.Index}, field {expected}", refused.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("null", "field $ at offset 7: cannot be read (it is null)")]
    [InlineData("{}", "field $ at offset 7: cannot be read (")]
    [InlineData("{\"extra\":1}", "field $.extra at offset 7: cannot be read (")]
    public void Index_ThatIsNone_IsRefused(string text, string expected)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        SeedRefusedException refused =
            Assert.Throws<SeedRefusedException>(() => SeedIndex.Read(bytes, 7, IndexChecksums.Of(bytes), 1000));
        Assert.StartsWith($"{SeedPath.Index}, {expected}", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>A line of the sums is "# ", sixteen digits and a line end; the first one is for the whole index.</summary>
    [Theory]
    [InlineData(0, "index.sha256 at offset 1000: is not the checksum of breakwater-seed/index.json.")]
    [InlineData(93, "index.sha256 at offset 1093: is not the checksum of breakwater-seed/index.json.")]
    [InlineData(94, "index.sha256 at offset 1094: is not the checksum of breakwater-seed/index.json.")]
    [InlineData(112, "index.sha256 at offset 1112: is not the checksum of breakwater-seed/index.json.")]
    [InlineData(113, "index.sha256 at offset 1113: is not the checksum of breakwater-seed/index.json.")]
    public void Checksums_DamagedAtAByte_AreRefusedThere(int at, string expected)
    {
        byte[] index = "{\n  \"name\": 1\n}\n"u8.ToArray();
        byte[] sums = IndexChecksums.Of(index);
        Assert.Equal(64 + 2 + SeedPath.Index.Length + 1 + (3 * 19), sums.Length);
        sums[at] ^= 1;
        SeedRefusedException refused = Assert.Throws<SeedRefusedException>(() => IndexChecksums.Check(index, 7, sums, 1000));
        Assert.Equal("breakwater-seed/" + expected, refused.Message);
    }

    [Theory]
    [InlineData(0, "line 1 (field z) at offset 7")]
    [InlineData(12, "line 2 (field name) at offset 9")]
    [InlineData(14, "line 3 (field |) at offset 21")]
    public void Index_DamagedAtAByte_IsRefusedByLineAndField(int at, string expected)
    {
        byte[] index = "{\n  \"name\": 1\n}\n"u8.ToArray();
        byte[] sums = IndexChecksums.Of(index);
        index[at] ^= 1;
        SeedRefusedException refused = Assert.Throws<SeedRefusedException>(() => IndexChecksums.Check(index, 7, sums, 1000));
        Assert.Equal($"{SeedPath.Index}, {expected}: does not have its checksum.", refused.Message);
    }

    [Theory]
    [InlineData(40, true)]
    [InlineData(41, false)]
    public void Index_DamagedInALongLine_IsRefusedByAsMuchAsAFieldHas(int length, bool isNamed)
    {
        byte[] sums = IndexChecksums.Of("other\n"u8);
        string name = new('n', length);
        SeedRefusedException refused = Assert.Throws<SeedRefusedException>(
            () => IndexChecksums.Check(Encoding.ASCII.GetBytes(name + "\n"), 7, sums, 1000));
        Assert.Equal($"{SeedPath.Index}, line 1 ({(isNamed ? "field " + name : "no field")})", refused.Entry);
    }

    [Fact]
    public void Checksums_WithMoreLinesThanTheIndex_AreRefusedAtTheFirst()
    {
        byte[] index = "a\n"u8.ToArray();
        byte[] sums = [.. IndexChecksums.Of(index), (byte)'x'];
        SeedRefusedException refused = Assert.Throws<SeedRefusedException>(() => IndexChecksums.Check(index, 7, sums, 1000));
        Assert.Equal(1000 + sums.Length - 1, refused.Offset);
        Assert.Equal(SeedPath.Checksums, refused.Entry);
        IndexChecksums.Check(index, 7, sums.AsSpan(0, sums.Length - 1), 1000);
        Assert.Equal(256 + 20, IndexChecksums.MaxBytes(10));
    }

    [Theory]
    [InlineData("", 0, -1)]
    [InlineData(Hash, 1, -1)]
    [InlineData("\n" + Hash + "\n\n", 1, -1)]
    [InlineData("1" + Hash, 0, 0)]
    [InlineData(Hash + "\nx", 0, 41)]
    [InlineData(Hash + "\n" + Hash, 0, 41)]
    [InlineData(Hash + "C\n" + Hash, 2, -1)] // catalogs come before files
    [InlineData(Hash + "\n" + Hash + "C", 0, 41)]
    [InlineData("0" + Hash + "0123456789012345678901234", 0, 0)]
    public void Inherited_OfNamesInOrder_AreRead(string text, int count, int wrongAt)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        if (wrongAt < 0)
        {
            Assert.Equal(count, InheritedList.Read(bytes, 100).Count);
        }
        else
        {
            SeedRefusedException refused = Assert.Throws<SeedRefusedException>(() => InheritedList.Read(bytes, 100));
            Assert.Equal((SeedPath.Inherited, 100L + wrongAt), (refused.Entry, refused.Offset));
        }
    }

    [Fact]
    public void Compare_OfObjects_PutsWhatProvesFirst()
    {
        string[] names = [Hash, Hash + "P", Hash + "C", Hash + "H", Hash + "X", "1" + Hash[1..] + "X"];
        ObjectKey[] keys = [.. names.Select(ObjectKey.Parse)];
        Array.Sort(keys, SeedPath.Compare);
        Assert.Equal(
            [Hash + "X", "1" + Hash[1..] + "X", Hash + "H", Hash + "C", Hash, Hash + "P"], keys.Select(key => key.ToString()));
    }

    [Theory]
    [InlineData("breakwater-seed/inherited.txt", 64 << 20)]
    [InlineData("cvmfs/a.example.org/.cvmfspublished", 64 << 10)]
    [InlineData("cvmfs/a.example.org/.cvmfswhitelist", 256 << 10)]
    [InlineData("breakwater-seed/keys/a.example.org.pub", 64 << 10)]
    [InlineData("cvmfs/a.example.org/x.cvmfswhitelist", 64 << 10)]
    public void MostBytesOf_AName_AreThoseOfItsKind(string name, long expected) => Assert.Equal(expected, SeedReader.MostBytesOf(name));

    [Fact]
    public void Path_OfADocument_NamesItsRepository()
    {
        Assert.True(SeedPath.TryParse(SeedPath.OfMasterKey("a.example.org"), out SeedPath? key));
        Assert.Equal("a.example.org", key.Value.Fqrn);
        Assert.True(SeedPath.TryParse(SeedPath.OfDocument("a.example.org", SeedPath.Whitelist), out SeedPath? whitelist));
        Assert.Equal(new SeedPath(SeedEntryKind.Document, "a.example.org", default), whitelist);
        Assert.True(SeedPath.TryParse(SeedPath.OfObject("a.example.org", ObjectKey.Parse(Hash + "H")), out SeedPath? history));
        Assert.Equal(new SeedPath(SeedEntryKind.Object, "a.example.org", ObjectKey.Parse(Hash + "H")), history);
        Assert.True(SeedPath.TryParse(SeedPath.Inherited, out SeedPath? inherited));
        Assert.Equal("", inherited.Value.Fqrn);
        foreach (string none in (string[])[
            $"data/01/{Hash[2..]}", $"cvmfs/a.example.org/data-01/{Hash[2..]}", $"cvmfs/a.example.org/data/01{Hash[2..]}",
            $"cvmfs/a.example.org/data/012/{Hash[3..]}", "cvmfs/a.example.org/data/01", "cvmfs/a.example.org"])
        {
            Assert.False(SeedPath.TryParse(none, out _));
        }

        Assert.False(SeedPath.TryParseObject("data/01/", out _));
    }

    [Fact]
    public void Unmatched_OverSnapshots_SaysWhatMatchesNowhereAndWhatInSome()
    {
        var unmatched = new SeedUnmatched();
        WorkingSet set = SetOf("/gone", "/some", "/all", "/dir/*", "/dirs", "/both");
        unmatched.Add(set, Resolved(("/gone", false), ("/some", false), ("/dir/*", true), ("/both", false)));
        unmatched.Add(set, Resolved(("/gone", false), ("/dirs", true), ("/both", true)));
        Assert.Equal(
            [
                "/gone matches nothing",
                "/dir/* names directories, of which nothing below is carried; write /dir/** for all of it",
                "/dirs names directories, of which nothing below is carried; write /dirs/** for all of it",
                "/both names directories, of which nothing below is carried; write /both/** for all of it",
            ],
            unmatched.Sentences(mayNameDirectories: false));
        Assert.Equal(["/gone matches nothing"], unmatched.Sentences(mayNameDirectories: true));
        string[] partly = ["/some matches nothing in 1 of 2 snapshots", "/both matches nothing in 1 of 2 snapshots"];
        Assert.Equal(partly, unmatched.Partly());
        unmatched.Add(SetOf("/all"), null);
        Assert.Equal(partly, unmatched.Partly());
        unmatched.Clear();
        Assert.Empty(unmatched.Sentences(mayNameDirectories: false));
        Assert.Empty(unmatched.Partly());
    }

    private static SeedRepository One(string fqrn) => new(fqrn, 2, DateTimeOffset.UnixEpoch, []);

    private static SeedRepository[] Many(int count) => [.. Enumerable.Range(0, count).Select(i => One($"r{i:0000}.example.org"))];

    private static SeedDocument Document(string name) => new(name, 1, new string('a', 64));

    private static WorkingSet SetOf(params string[] paths) => SeedPathList.Read(string.Join('\n', paths), ["a.example.org"]).Value!
        .ToSet("a.example.org", []);

    private static ResolvedSet Resolved(params (string Path, bool IsDirectory)[] unmatched) => new(default, [])
    {
        Unmatched = [.. unmatched.Select(one => new UnmatchedEntry(new WorkingSetEntry { Path = one.Path }, one.IsDirectory))],
    };
}
