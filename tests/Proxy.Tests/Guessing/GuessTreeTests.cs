using System.Security.Cryptography;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Guessing;
using Breakwater.Proxy.Tests.Repositories;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;

namespace Breakwater.Proxy.Tests.Guessing;

public sealed class GuessTreeTests : IDisposable
{
    private static readonly string[] s_amd64 = ["libc.so.6", "libown.so", "liblost.so"];

    private readonly WrittenTree _written = new();
    private readonly GuessTree _tree = new(new GuessLimits());

    public void Dispose()
    {
        _tree.Dispose();
        _written.Dispose();
    }

    [Fact]
    public void Near_TwoFilesOfASmallDirectory_IsTheRestOfIt()
    {
        Add("", [("etc", null, 0), .. Enumerable.Range(0, 5).Select(i => ($"etc/{i}", (string?)null, 1000))]);

        Assert.Empty(_tree.Near(WrittenTree.KeyOf("etc/0")));
        Assert.Empty(_tree.Near(WrittenTree.KeyOf("etc/0")));
        List<Guess> guesses = _tree.Near(WrittenTree.KeyOf("etc/3"));

        Assert.Equal(
            Enumerable.Range(0, 5).Select(i => WrittenTree.KeyOf($"etc/{i}")).ToHashSet(), guesses.Select(guess => guess.Key).ToHashSet());
        Assert.All(guesses, guess => Assert.Equal((GuessRule.Neighbour, 1000), (guess.Rule, guess.Bytes)));
        Assert.Empty(_tree.Near(WrittenTree.KeyOf("etc/4"))); // each directory once
    }

    [Theory]
    [InlineData(512, 800, 512)]     // 512 files of 400 KiB in all
    [InlineData(513, 1, 0)]
    [InlineData(5, 100_000, 0)]
    public void Near_ALargeDirectory_IsNothing(int files, int bytes, int guessed)
    {
        Add("", [("d", null, 0), .. Enumerable.Range(0, files).Select(i => ($"d/{i}", (string?)null, bytes))]);
        _tree.Near(WrittenTree.KeyOf("d/0"));

        Assert.Equal(guessed, _tree.Near(WrittenTree.KeyOf("d/1")).Count);
    }

    [Fact]
    public async Task Near_AChunk_IsTheNextTwo()
    {
        Fixture fixture = Fixture.Load("tiny.example.org");
        List<ObjectKey> chunks = [];
        List<Catalog> opened = [];
        await new CatalogTree(fixture.Manifest.RootCatalog, fixture.OpenCatalog).WalkAsync((catalog, key) =>
        {
            opened.Add(fixture.OpenCatalog(key).GetAwaiter().GetResult().Value!);
            return catalog.Walk(entry =>
            {
                if (entry.IsChunked && chunks.Count == 0)
                {
                    catalog.ReadObjects(entry, chunks);
                }
            });
        });
        Assert.All(opened, catalog => Assert.True(_tree.TryAdd(catalog)));
        Assert.True(chunks.Count > 2);

        Assert.Equal(chunks[1..3], _tree.Near(chunks[0]).Where(guess => guess.Rule == GuessRule.NextChunk).Select(guess => guess.Key));
        Assert.DoesNotContain(_tree.Near(chunks[^1]), guess => guess.Rule == GuessRule.NextChunk);
    }

    /// <summary>A program may have as many chunks as are guessed at a time; its first one stands for all.</summary>
    [Theory]
    [InlineData(1, true)]
    [InlineData(3, true)]
    [InlineData(4, false)]
    public void FileOf_AProgramInChunks_IsKnownByItsFirst(int chunks, bool isKnown)
    {
        Assert.True(_tree.TryAdd(_written.Open("", [], writer =>
        {
            writer.Add(WrittenTree.RowOf("/app", null, chunks * 10) with { Flags = CatalogFlags.File | CatalogFlags.Chunked });
            for (int i = 0; i < chunks; i++)
            {
                writer.AddChunk(PathKey.Of("/app"), i * 10, 10, SHA1.HashData([(byte)i]));
            }
        })));
        ObjectKey[] parts =
            [.. Enumerable.Range(0, chunks).Select(i => new ObjectKey(SHA1.HashData([(byte)i]), DigestAlgorithm.Sha1, ObjectKind.Chunk))];

        GuessedFile? file = _tree.FileOf(parts[0]);

        Assert.Equal(isKnown, file is not null);
        Assert.Equal(isKnown ? parts : null, file?.Objects);
        Assert.All(parts.Skip(1), part => Assert.Null(_tree.FileOf(part)));
    }

    [Fact]
    public void NeedsOf_AProgram_AreFoundBelowItsOwnRootByPathAndLink()
    {
        Add("",
        [
            ("usr", null, 0), ("lib", null, 0), ("lib/libc.so.6", null, 1), // another system's
            ("os", null, 0), ("os/usr", null, 0), ("os/usr/lib", null, 0), ("os/usr/bin", null, 0),
            ("os/lib", "usr/lib", 0), ("os/lib64", "/usr/lib", 0),
            ("os/usr/lib/ld.so", null, 1), ("os/usr/lib/libc.so.6", "libc-2.so", 0), ("os/usr/lib/libc-2.so", null, 1),
            ("os/usr/bin/app", null, 1), ("os/usr/bin/lib", null, 0), ("os/usr/bin/lib/libown.so", null, 1),
            ("os/usr/bin/python3", null, 1),
        ]);
        ProgramNeeds needs = new(["/lib64/ld.so"], ["python3"], s_amd64, ["$ORIGIN/lib"], "x86_64-linux-gnu");

        List<Guess> guesses = _tree.NeedsOf("/os/usr/bin/app", needs);

        Assert.Equal(
            new[] { "os/usr/lib/ld.so", "os/usr/bin/python3", "os/usr/lib/libc-2.so", "os/usr/bin/lib/libown.so" }.Select(WrittenTree.KeyOf)
                .ToHashSet(),
            guesses.Select(guess => guess.Key).ToHashSet());
    }

    /// <summary>A path may begin with it; what is behind is the program's, not expanded again and again.</summary>
    [Theory]
    [InlineData("$ORIGIN/../own", 1)]
    [InlineData("${ORIGIN}/../own", 1)]
    [InlineData("/usr/own", 1)]
    [InlineData("$ORIGIN/$ORIGIN/../../../own", 0)]
    public void NeedsOf_AProgramsOwnDirectory_IsWhereItsPathsBegin(string path, int found)
    {
        Add("", [("usr", null, 0), ("usr/bin", null, 0), ("usr/bin/app", null, 1), ("usr/own", null, 0), ("usr/own/own.so", null, 1)]);

        Assert.Equal(found, _tree.NeedsOf("/usr/bin/app", new ProgramNeeds([], [], ["own.so"], [path], null)).Count);
    }

    /// <summary>Links are the publisher's: in circles, out of the tree, too deep; each costs a bounded number of look-ups.</summary>
    [Theory]
    [InlineData("../../../../../../etc/passwd")]
    [InlineData("loop")]
    [InlineData("/lib/loop")]
    [InlineData("loop/loop/loop")]
    [InlineData("$(VARIABLE)/x")]
    [InlineData("..")]
    public void NeedsOf_HostileLinks_AreNothing(string target)
    {
        Add("", [("usr", null, 0), ("lib", null, 0), ("lib/loop", target, 0), ("bin", null, 0), ("bin/app", null, 1)]);

        Assert.Empty(_tree.NeedsOf("/bin/app", new ProgramNeeds(["/lib/loop"], [], [], [], null)));
    }

    /// <summary>As many links as a path may have; names that a client would put something else into; and one that leads nowhere.</summary>
    [Theory]
    [InlineData("l1", 1)]
    [InlineData("l0", 0)]
    [InlineData("empty", 0)]
    [InlineData("variable", 0)]
    [InlineData("plain", 1)]
    [InlineData("up", 1)]
    [InlineData("dir", 0)]
    public void NeedsOf_ALink_IsFollowedAsFarAsItMayLead(string name, int guessed)
    {
        Add("",
        [
            ("usr", null, 0), ("lib", null, 0), ("lib/ld.so", null, 1), ("lib/$(V)", null, 0), ("lib/$(V)/x", null, 1),
            .. Enumerable.Range(0, 16).Select(i => ($"lib/l{i}", (string?)$"l{i + 1}", 0)), ("lib/l16", "./../lib//ld.so", 0),
            ("lib/empty", "", 0), ("lib/variable", "$(V)/x", 0), ("lib/plain", "/lib/ld.so", 0), ("lib/up", "../../../lib/ld.so", 0),
            ("lib/dir", "/usr", 0),
        ]);

        List<Guess> guesses = _tree.NeedsOf("/app", new ProgramNeeds([$"/lib/{name}"], [], [], [], null));

        Assert.Equal(guessed, guesses.Count);
        Assert.All(guesses, guess => Assert.Equal(new Guess(WrittenTree.KeyOf("lib/ld.so"), 1, GuessRule.Program), guess));
    }

    /// <summary>Where no directory looks like a system's root, the repository's is it.</summary>
    [Fact]
    public void NeedsOf_AProgramOfNoSystem_AreFoundFromTheTop()
    {
        Add("", [("a", null, 0), ("a/b", null, 0), ("a/b/app", null, 1), ("lib", null, 0), ("lib/x", null, 1)]);

        Assert.Equal(
            WrittenTree.KeyOf("lib/x"), Assert.Single(_tree.NeedsOf("/a/b/app", new ProgramNeeds(["/lib/x"], [], [], [], null))).Key);
        Assert.Equal(WrittenTree.KeyOf("lib/x"), Assert.Single(_tree.NeedsOf("/app", new ProgramNeeds([], [], ["x"], [], null))).Key);
    }

    /// <summary>Debian's directories of the machine come before the others; a link that leads nowhere ends no search.</summary>
    [Theory]
    [InlineData("x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/own")]
    [InlineData("aarch64-linux-gnu", "usr/lib/own")]
    [InlineData(null, "usr/lib/own")]
    public void NeedsOf_ALibrary_IsTheFirstThatIsThere(string? triplet, string found)
    {
        Add("",
        [
            ("lib", null, 0), ("lib/own", "", 0), ("lib64", null, 0), ("lib64/own", "$(V)/own", 0), ("usr", null, 0),
            ("usr/lib", null, 0), ("usr/lib/own", null, 1), ("usr/lib/x86_64-linux-gnu", null, 0),
            ("usr/lib/x86_64-linux-gnu/own", null, 1),
        ]);

        Assert.Equal(WrittenTree.KeyOf(found), Assert.Single(_tree.NeedsOf("/app", new ProgramNeeds([], [], ["own"], [], triplet))).Key);
    }

    [Fact]
    public void TryAdd_AnotherRevisionOfTheFirst_TakesItsPlaceAlsoWhereThereIsNoRoom()
    {
        using GuessTree tree = new(new GuessLimits { Catalogs = 1 });
        Assert.True(tree.TryAdd(_written.Open("", [("usr", null, 0), ("usr/old", null, 1)])));
        Assert.True(tree.TryAdd(_written.Open("", [("usr", null, 0), ("usr/new", null, 1)])));

        Assert.Single(tree.NeedsOf("/app", new ProgramNeeds(["/usr/new"], [], [], [], null)));
        Assert.Empty(tree.NeedsOf("/app", new ProgramNeeds(["/usr/old"], [], [], [], null)));
        Assert.Equal("/usr/new", tree.FileOf(WrittenTree.KeyOf("usr/new"))?.Path);
    }

    [Fact]
    public void NeedsOf_NamesBesideACatalogsPrefix_AreNotLookedUpInIt()
    {
        Add("", [("usr", null, 0), ("usr/lib64", null, 0), ("usr/lib64/x", null, 1)]);
        Add("/usr/lib", [("usr/lib", null, 0), ("usr/lib/y", null, 1)]);

        Assert.Equal(new[] { "usr/lib64/x", "usr/lib/y" }.Select(WrittenTree.KeyOf),
            _tree.NeedsOf("/app", new ProgramNeeds(["/usr/lib64/x", "/usr/lib/y"], [], [], [], null)).Select(guess => guess.Key));
    }

    [Theory]
    [InlineData(16, 512 << 10, 16)]
    [InlineData(17, 512 << 10, 0)]
    [InlineData(2, (512 << 10) + 1, 1)]
    [InlineData(2, 0, 1)]
    public void Below_NestedCatalogs_AreGuessedWhereTheyAreFewAndSmall(int catalogs, long bytes, int guessed)
    {
        using Catalog catalog = _written.Open("", Enumerable.Range(0, catalogs).Select(i => ($"n{i:d2}", (string?)null, 0)), writer =>
        {
            for (int i = 0; i < catalogs; i++)
            {
                var key = new ObjectKey(SHA1.HashData([(byte)i]), DigestAlgorithm.Sha1, ObjectKind.Catalog);
                writer.AddNested(Encoding.UTF8.GetBytes($"/n{i:d2}"), key, i == 0 ? bytes : 1000);
            }
        });

        List<Guess> guesses = [.. _tree.Below(catalog)];

        Assert.Equal(guessed, guesses.Count);
        Assert.All(guesses, guess => Assert.Equal(GuessRule.NestedCatalog, guess.Rule));
        Assert.Equal(guessed == 16 ? bytes + 15_000 : guessed * 1000, guesses.Sum(guess => guess.Bytes));
    }

    /// <summary>128 libraries in 128 directories, each of 600 names that are there: 10 million look-ups without a bound.</summary>
    [Fact]
    public void NeedsOf_ProgramsThatNameAsMuchAsTheyMay_LookUpABoundedNumberOfNames()
    {
        GuessLimits limits = new() { LookUps = 20_000 };
        using GuessTree tree = new(limits);
        Assert.True(tree.TryAdd(_written.Open("", [("usr", null, 0), ("bin", null, 0), ("bin/app", null, 1)])));
        string deep = string.Concat(Enumerable.Repeat("/usr/..", 580));
        ProgramNeeds needs = new(
            [], [], [.. Enumerable.Range(0, ProgramNeeds.MaxNames).Select(i => $"lib{i}.so")],
            [.. Enumerable.Repeat(deep, ProgramNeeds.MaxNames)], null);

        Assert.Empty(tree.NeedsOf("/bin/app", needs));
        Assert.Equal(limits.LookUpsOfProgram, tree.LookUps);
        for (int i = 0; i < 10; i++)
        {
            tree.NeedsOf("/bin/app", needs);
        }

        Assert.Equal(limits.LookUps, tree.LookUps);
    }

    [Fact]
    public void Tree_FilledBeyondItsBounds_TakesNoMore()
    {
        GuessLimits limits = new() { KnownFiles = 10, Catalogs = 2 };
        using GuessTree tree = new(limits);
        Assert.True(tree.TryAdd(_written.Open("", [.. Enumerable.Range(0, 30).Select(i => ($"{i:d2}", (string?)null, 1))])));
        Assert.True(tree.TryAdd(_written.Open("/a", [("a", null, 0)])));
        long open = _written.OpenBytes;
        Assert.False(tree.TryAdd(_written.Open("/b", [("b", null, 0)])));
        Assert.Equal(open, _written.OpenBytes); // it is closed
        Assert.True(tree.TryAdd(_written.Open("/a", [("a", null, 0)]))); // another revision of one that is there
        Assert.Equal(open, _written.OpenBytes);

        Assert.Equal(10, Enumerable.Range(0, 30).Count(i => tree.FileOf(WrittenTree.KeyOf($"{i:d2}")) is not null));
    }

    private void Add(string prefix, IEnumerable<(string Path, string? Link, int Bytes)> entries) =>
        Assert.True(_tree.TryAdd(_written.Open(prefix, entries)));
}
