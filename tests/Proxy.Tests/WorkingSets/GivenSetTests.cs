using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;
using Breakwater.TestSupport;
using CsCheck;

namespace Breakwater.Proxy.Tests.WorkingSets;

public sealed class GivenSetTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Trace_OfTheFirstRevisionAlone_GivesExactlyTheBootsObjectsOfBoth(int revision)
    {
        WorkingSet set = await FromTrace();

        Assert.Equal(MiniOs.Sorted(MiniOs.BootObjects(revision)), MiniOs.Sorted(await MiniOs.Resolve(set, revision)));
    }

    [Fact]
    public async Task PinFiles_OfTheRepository_AreResolvedBelowTheirDirectory()
    {
        SnapshotContent pins = await Content("/cvm4/.ucernvm_pinfiles");
        IReadOnlyList<WorkingSetEntry> entries = GivenSets.ReadPaths(pins.Text, "/cvm4").Value!;

        Resolution resolution = await Resolve(entries);

        Assert.Equal(["/cvm4/bin/busybox", "/cvm4/etc/release", "/cvm4/etc/services", "/cvm4/lib/libc.so.6"],
            resolution.Files.Select(file => file.Path).Order());
        Assert.Equal(["", "/cvm4", "/cvm4/etc"], resolution.Catalogs.Select(catalog => catalog.Path));
    }

    [Theory]
    [InlineData("/cvm4/etc/init.d/S0?", 9)]
    [InlineData("cvm4/etc/init.d/*", 41)]
    [InlineData("/cvm4/etc/**", 48)]
    [InlineData("/**", 291)]
    [InlineData("/cvm4/**/S41", 1)]
    [InlineData("/cvm4/*/release", 1)]
    [InlineData("/cvm4/lib/lib*.so.[16]", 0)]
    [InlineData("/cvm4/bin/sh", 1)]
    [InlineData("/no/such/file", 0)]
    [InlineData("/cvm4/usr/lib/modules/m00*.ko", 9)]
    public async Task PathList_Globs_FindTheFilesOfTheTree(string line, int files)
    {
        Resolution resolution = await Resolve(GivenSets.ReadPaths(line).Value!);

        Assert.Equal(files, resolution.Files.Count);
    }

    [Fact]
    public async Task PathList_LinkToAFile_IsFollowed()
    {
        Resolution resolution = await Resolve(GivenSets.ReadPaths("# the shell\n/cvm4/bin/sh\n\n").Value!);

        Assert.Equal("/cvm4/bin/busybox", Assert.Single(resolution.Files).Path);
    }

    [Fact]
    public async Task Resolve_ManyPaths_OpensEachCatalogOnTheWayOnce()
    {
        List<ObjectKey> opened = [];
        CatalogTree tree = new(MiniOs.Manifest(2).RootCatalog, (key, cancellation) =>
        {
            opened.Add(key);
            return MiniOs.Fixture.OpenCatalog(key, cancellation);
        });

        Resolution resolution = (await SnapshotResolver.ResolveAsync(
            tree,
            ((string[])["/cvm4/etc/release", "/cvm4/etc/services", "/cvm4/lib/libz.so.1", "/cvm4/no/such", "/nowhere"])
                .Select((path, i) => new WantedPath(i, PathPattern.Literal(path))))).Value!;

        Assert.Equal(3, opened.Count);
        Assert.Equal(opened, resolution.Catalogs.Select(catalog => catalog.Catalog));
        Assert.Equal(["/cvm4/etc/release", "/cvm4/etc/services", "/cvm4/lib/libz.so.1"], resolution.Files.Select(file => file.Path));
    }

    [Fact]
    public async Task Resolve_PartOfAChunkedFile_TakesTheChunksThatOverlap()
    {
        Resolution whole = await Resolve([new WorkingSetEntry { Path = "/cvm4/opt/app/blob.bin" }]);
        Parsed<Resolution> part = await SnapshotResolver.ResolveAsync(
            MiniOs.Tree(2), [new WantedPath(0, PathPattern.Literal("/cvm4/opt/app/blob.bin"), Ranges: [new Stretch(0, 1)])]);

        Assert.True(whole.Files[0].Objects.Count > 1);
        Assert.Equal(whole.Files[0].Objects[0], Assert.Single(part.Value!.Files[0].Objects));
    }

    [Fact]
    public async Task Resolve_AnyRangesOfAChunkedFile_TakesExactlyTheChunksThatShareAByteWithOne()
    {
        const string File = "/cvm4/opt/app/blob.bin";
        List<CatalogChunk> chunks = [];
        await MiniOs.Tree(2).WalkAsync((catalog, _) => catalog.Walk(entry =>
        {
            if (entry.Path == File)
            {
                Assert.Null(catalog.ReadChunks(entry, chunks));
            }
        }));
        long length = chunks[^1].Offset + chunks[^1].SizeBytes;
        var random = new Random(16);
        for (int round = 0; round < 200; round++)
        {
            Stretch[] ranges = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => random.Next(3) == 0
                ? new Stretch(chunks[random.Next(chunks.Count)].Offset + random.Next(2), random.Next(1, 3))
                : new Stretch(random.NextInt64(length + 10), random.NextInt64(1, length)))];

            Parsed<Resolution> part =
                await SnapshotResolver.ResolveAsync(MiniOs.Tree(2), [new WantedPath(0, PathPattern.Literal(File), Ranges: ranges)]);

            Assert.Equal(
                chunks.Where(chunk => ranges.Any(range => chunk.Offset < range.Offset + range.Length
                    && range.Offset < chunk.Offset + chunk.SizeBytes)).Select(chunk => chunk.Object),
                part.Value!.Files[0].Objects);
        }
    }

    [Fact]
    public async Task Resolve_CatalogThatIsNotThere_SaysWhich()
    {
        CatalogTree tree = new(MiniOs.Manifest(2).RootCatalog, (_, _) => Task.FromResult<Parsed<Catalog>>(new Malformed("not found")));

        Parsed<Resolution> resolved = await SnapshotResolver.ResolveAsync(tree, [new WantedPath(0, PathPattern.Literal("/a"))]);

        Assert.Contains(MiniOs.Manifest(2).RootCatalog.ToString(), resolved.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task KeyNames_OfABoot_NameEveryObject()
    {
        List<ObjectKey> keys = [.. MiniOs.BootObjects(2).Where(key => key.Kind is not (ObjectKind.Certificate or ObjectKind.History))];

        Dictionary<ObjectKey, List<KeyName>> names = (await KeyNames.FindAsync(MiniOs.Tree(2), keys.ToHashSet(), _ => true)).Value!;

        Assert.Equal(keys.Count, names.Count);
        Assert.Contains("/cvm4/etc/init.d/S41", names.Values.SelectMany(list => list).Select(name => name.Path));
    }

    [Fact]
    public void Trace_LinesThatTheClientCut_AreSkippedAndCounted()
    {
        // The tracer stops a field at a byte beyond ASCII, without the closing quote; a killed client leaves half a line.
        const string Csv =
            "\"1.0\",\"1\",\"/bin/sh\",\"open()\"\n"
            + "\"2.0\",\"4\",\"/etc/certs/NetLock_=Class_Gold=_F\uFFFD,\"lookup()\"\n"
            + "\"3.0\",\"1\",\"/etc/x\",\"open()\"\n\"4.";

        IReadOnlyList<WorkingSetEntry> entries = GivenSets.ReadTrace(Csv, out int skipped).Value!;

        Assert.Equal(["/bin/sh", "/etc/x"], entries.Select(entry => entry.Path));
        Assert.Equal(2, skipped);
    }

    [Theory]
    [InlineData("/cvmfs/a.example.org/bin/sh", "/bin/sh")]
    [InlineData("/cvmfs/a.example.org", "")]
    [InlineData("/cvmfs/lib", "/cvmfs/lib")]
    [InlineData("\uFEFF/bin/sh", "/bin/sh")]
    public void PathList_OfOneRepository_IsUnderstoodAsClientsSeeIt(string line, string path) =>
        Assert.Equal([path], GivenSets.ReadPaths(line, fqrn: Fqrn.Parse("a.example.org")).Value!.Select(entry => entry.Path));

    [Theory]
    [InlineData("/cvmfs/b.example.org/bin/sh", "b.example.org")]
    [InlineData("!/bin/sh", "!/bin/sh")]
    [InlineData("^/bin/*", "^/bin/*")]
    public void PathList_ThatCannotBeMeant_IsRefusedByName(string line, string named) =>
        Assert.Contains(
            named, GivenSets.ReadPaths("/bin/ls\n" + line, fqrn: Fqrn.Parse("a.example.org")).Problem, StringComparison.Ordinal);

    [Fact]
    public void Trace_WithATimeThatIsNoNumberOfMilliseconds_IsRefusedByLine() =>
        Assert.Contains("Line 1", GivenSets.ReadTrace($"\"{new string('9', 400)}\",\"1\",\"/bin/sh\",\"open()\"\n", out _).Problem,
        StringComparison.Ordinal);

    [Fact]
    public void Trace_AnyText_ParsesOrSaysWhichLine() =>
        Gen.Char["\",0123456789.-/ab\n\r"].Array[0, 200].Select(text => new string(text)).Sample(text =>
        {
            Parsed<IReadOnlyList<WorkingSetEntry>> parsed = GivenSets.ReadTrace(text, out _);
            return parsed.Value is not null || parsed.Problem!.Contains("Line", StringComparison.Ordinal);
        });

    [Fact]
    public void PathList_AnyText_ParsesOrSaysWhichLine() =>
        Gen.String[0, 200].Sample(text =>
        {
            Parsed<IReadOnlyList<WorkingSetEntry>> parsed = GivenSets.ReadPaths(text);
            return parsed.Value is not null || parsed.Problem!.Contains("Line", StringComparison.Ordinal);
        });

    [Fact]
    public void Pattern_AgainstPaths_AgreesWithANaiveMatcher() =>
        Gen.Select(
            Names("a", "b", "*", "?", "a*", "*b", "**", "a?b").Array[1, 5],
            Names("a", "b", "ab", "acb").Array[1, 5]).Sample((pattern, names) =>
        {
            Assert.True(PathPattern.TryParse("/" + string.Join('/', pattern), out PathPattern parsed));
            string regex = "^" + string.Concat(pattern.Select(segment => segment == "**"
                ? "(/[^/]+)*"
                : "/" + segment.Replace("*", "[^/]*", StringComparison.Ordinal).Replace("?", "[^/]", StringComparison.Ordinal))) + "$";
            string path = "/" + string.Join('/', names);
            return parsed.Matches(path) == System.Text.RegularExpressions.Regex.IsMatch(path, regex);
        });

    private static Gen<string> Names(params string[] names) => Gen.Int[0, names.Length - 1].Select(i => names[i]);

    private static async Task<WorkingSet> FromTrace()
    {
        string csv = Encoding.UTF8.GetString(FixtureRepository.ReadFixtureFile("minios/boot-trace.v1.csv"));
        IReadOnlyList<WorkingSetEntry> entries = GivenSets.ReadTrace(csv, out _).Value!;
        return new WorkingSet
        {
            Name = "boot",
            Repository = MiniOs.Fqrn,
            Source = WorkingSetSource.Given,
            Snapshots = ["HEAD4"],
            Entries = entries,
            WholeDirectories = (await WholeDirectoryRule.FindAsync(MiniOs.Tree(1), entries)).Value!,
        };
    }

    private static async Task<Resolution> Resolve(IReadOnlyList<WorkingSetEntry> entries) =>
        (await SnapshotResolver.ResolveAsync(MiniOs.Tree(2), entries.Select((entry, i) =>
        {
            Assert.True(PathPattern.TryParse(entry.Path!, out PathPattern pattern));
            return new WantedPath(i, pattern);
        }))).Value!;

    private static async Task<SnapshotContent> Content(string path)
    {
        ResolvedFile file =
            (await SnapshotResolver.ResolveAsync(MiniOs.Tree(2), [new WantedPath(0, PathPattern.Literal(path))])).Value!.Files[0];
        return new SnapshotContent(
            Encoding.UTF8.GetString([.. file.Objects.SelectMany(key => MiniOs.Fixture.Content(key, isStoredPlain: false))]));
    }

    private sealed record SnapshotContent(string Text);
}
