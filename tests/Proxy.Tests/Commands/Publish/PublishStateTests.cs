using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish.Catalogs;
using Breakwater.Proxy.Commands.Publish.Tree;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Commands.Publish;

/// <summary>What a publication remembers, and what it believes of it.</summary>
public sealed class PublishStateTests : IDisposable
{
    private static readonly DateTimeOffset s_started = DateTimeOffset.FromUnixTimeSeconds(1_000);
    private static readonly FileContent s_content = new(Digest(1));
    private static readonly ObjectKey s_catalog = new(Digest(9), DigestAlgorithm.Sha1, ObjectKind.Catalog);

    private readonly TemporaryDirectory _directory = new();
    private readonly TreeNode _root = Trees.Root();

    public void Dispose() => _directory.Dispose();

    public static IEnumerable<object[]> Changes => s_changes.Keys.Select(name => new object[] { name });

    private static readonly Dictionary<string, Func<FileStat, FileStat>> s_changes = new()
    {
        ["size"] = stat => stat with { SizeBytes = stat.SizeBytes + 1 },
        ["modified, s"] = stat => stat with { ModifiedAt = stat.ModifiedAt with { Seconds = stat.ModifiedAt.Seconds + 1 } },
        ["modified, ns"] = stat => stat with { ModifiedAt = stat.ModifiedAt with { Nanoseconds = stat.ModifiedAt.Nanoseconds + 1 } },
        ["changed, s"] = stat => stat with { ChangedAt = stat.ChangedAt with { Seconds = stat.ChangedAt.Seconds + 1 } },
        ["changed, ns"] = stat => stat with { ChangedAt = stat.ChangedAt with { Nanoseconds = stat.ChangedAt.Nanoseconds + 1 } },
        ["inode"] = stat => stat with { Inode = stat.Inode + 1 },
        ["file system"] = stat => stat with { FileSystem = stat.FileSystem + 1 },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void File_OfWhichAnythingHasChanged_IsReadAgain(string change)
    {
        TreeNode file = Known("f", Trees.Stat);
        PublishState state = Saved();

        Assert.Equal(s_content.Digest, state.Find(file)!.Digest);
        file.Stat = s_changes[change](file.Stat);

        Assert.Null(state.Find(file));
    }

    [Fact]
    public void File_WithAnotherModeOrOwner_IsTheSameContent()
    {
        TreeNode file = Known("f", Trees.Stat);
        PublishState state = Saved();

        file.Stat = file.Stat with { Mode = 0x81ff, Uid = 77, Gid = 78, Links = 2 };

        Assert.NotNull(state.Find(file));
        Assert.Null(state.Find(Trees.File(_root, "other")));
    }

    /// <summary>What was changed just before the tree was read may be changed again in the same tick of the file system's clock.</summary>
    [Theory]
    [InlineData(997, 0, true)]                      // whole seconds: a coarse clock
    [InlineData(998, 0, false)]
    [InlineData(999, 949_999_999, true)]
    [InlineData(999, 950_000_000, false)]
    [InlineData(999, 1, true)]
    public void File_ChangedWithinATickOfTheStart_IsNotRemembered(long seconds, long nanoseconds, bool isKept)
    {
        TreeNode file = Known("f", Trees.Stat with { ChangedAt = new FileTime(seconds, (uint)nanoseconds) });

        Assert.Equal(isKept, Saved().Find(file) is not null);
    }

    [Fact]
    public void Files_InChunksInDirectoriesAndFromElsewhere_AreRememberedAsTheyAre()
    {
        TreeNode below = Known("below", Trees.Stat, Trees.Directory(_root, "d"));
        TreeNode chunked = Trees.File(_root, "chunked");
        chunked.Content = new FileContent([new FileChunk(10, Digest(2)), new FileChunk(20, Digest(3)), new FileChunk(30, Digest(4))]);
        TreeNode last = Known("last", Trees.Stat);
        var given = new TreeNode
        {
            Name = [.. "given"u8],
            Parent = _root,
            Key = PathKey.Of("/given"),
            Stat = Trees.Stat,
            Source = [.. "/tmp/list\0"u8],
            Content = s_content,
        };
        _root.Children = [.. _root.Children!, given];

        PublishState state = Saved();

        Assert.All([below, last], file => Assert.Equal(s_content.Digest, state.Find(file)!.Digest));
        FileChunk[] chunks = state.Find(chunked)!.Chunks;
        Assert.Equal([10, 20, 30], chunks.Select(chunk => chunk.SizeBytes));
        Assert.Equal([Digest(2), Digest(3), Digest(4)], chunks.Select(chunk => chunk.Digest));
        Assert.Null(state.Find(given));
    }

    [Fact]
    public void Catalogs_Saved_AreThereWithAllThatIsKnownOfThem()
    {
        var record = new CatalogRecord(
            s_catalog, 4096, SHA256.HashData([1]), true,
            new CatalogCounters { Regular = 5, Xattrs = 6 }, new CatalogCounters { Nested = 7 });
        var other = new CatalogRecord(s_catalog, 1, SHA256.HashData([2]), false, default, default);
        PublishState state = Saved((PathKey.Of(""), record), (PathKey.Of("/d"), other));

        CatalogRecord known = state.Catalog(PathKey.Of(""))!;

        Assert.Equal(record with { Fingerprint = [] }, known with { Fingerprint = [] }, (a, b) => a.ToString() == b.ToString());
        Assert.Equal(record.Fingerprint, known.Fingerprint);
        Assert.Equal((false, 1), (state.Catalog(PathKey.Of("/d"))!.IsAutomatic, state.Catalog(PathKey.Of("/d"))!.InflatedBytes));
        Assert.Null(state.Catalog(PathKey.Of("/e")));
    }

    [Fact]
    public void Rest_AfterACollection_IsWhatIsStillThere()
    {
        TreeNode kept = Known("kept", Trees.Stat);
        TreeNode gone = Trees.File(_root, "gone");
        gone.Content = new FileContent(Digest(2));
        TreeNode chunked = Trees.File(_root, "chunked");
        chunked.Content = new FileContent([new FileChunk(10, Digest(3)), new FileChunk(20, Digest(4))]);
        TreeNode torn = Trees.File(_root, "torn");
        torn.Content = new FileContent([new FileChunk(10, Digest(3)), new FileChunk(20, Digest(5))]);
        PublishState state = Saved((PathKey.Of(""), new CatalogRecord(s_catalog, 1, SHA256.HashData([2]), false, default, default)));
        HashSet<ObjectKey> live =
        [
            new ObjectKey(Digest(1), DigestAlgorithm.Sha1, ObjectKind.Plain),
            new ObjectKey(Digest(3), DigestAlgorithm.Sha1, ObjectKind.Chunk),
            new ObjectKey(Digest(4), DigestAlgorithm.Sha1, ObjectKind.Chunk),
        ];

        state.SaveOnly(Path, live.Contains);

        PublishState rest = PublishState.Load(Path);
        Assert.Equal(s_content.Digest, rest.Find(kept)!.Digest);
        Assert.Equal(2, rest.Find(chunked)!.Chunks.Length);
        Assert.Equal((null, null, null), (rest.Find(gone), rest.Find(torn), rest.Catalog(PathKey.Of(""))));
        live.Add(s_catalog);
        state.SaveOnly(Path, live.Contains);
        Assert.NotNull(PublishState.Load(Path).Catalog(PathKey.Of("")));
    }

    [Fact]
    public void File_ThatIsDamagedOrOfAnotherRelease_KnowsNothing()
    {
        TreeNode file = Known("f", Trees.Stat);
        Saved();
        byte[] bytes = File.ReadAllBytes(Path);
        foreach (int at in (int[])[0, 7, 8, 15, 16, bytes.Length - 1])
        {
            byte[] damaged = [.. bytes];
            damaged[at] ^= 1;
            File.WriteAllBytes(Path, damaged);
            Assert.Null(PublishState.Load(Path).Find(file));
        }

        File.WriteAllBytes(Path, bytes[..20]);
        Assert.Same(PublishState.None, PublishState.Load(Path));
        Assert.Same(PublishState.None, PublishState.Load(_directory.Combine("none")));
    }

    private string Path => _directory.Combine(PublishState.FileName);

    private TreeNode Known(string name, FileStat stat, TreeNode? directory = null)
    {
        TreeNode file = Trees.File(directory ?? _root, name, stat);
        file.Content = s_content;
        return file;
    }

    private PublishState Saved(params (PathKey Key, CatalogRecord Record)[] catalogs)
    {
        PublishState.Save(Path, _root, catalogs.ToDictionary(one => one.Key, one => one.Record), s_started);
        return PublishState.Load(Path);
    }

    private static byte[] Digest(byte first) => [first, .. new byte[19]];
}
