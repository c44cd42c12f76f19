using System.Text;
using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;

namespace Breakwater.Mount.Tests;

/// <summary>Which names are the same file, which catalog a directory is in, and what a file's pieces are.</summary>
public sealed class NodesTests : IAsyncLifetime
{
    private readonly SmallRepository _repository = new();
    private MountedTree _mounted = null!;
    private ObjectKey _chunk;

    public Task InitializeAsync()
    {
        long pair = CatalogRow.LinksOf(group: 5, count: 2);
        _repository.Add(SmallRepository.Row("/nested", CatalogFlags.Directory | CatalogFlags.NestedRoot, 0x41ed));
        _repository.AddFile("/nested/inside", "inside"u8.ToArray());
        ObjectKey nested = _repository.WriteCatalog("/nested");

        _repository.Add(SmallRepository.Row("", CatalogFlags.Directory, 0x41ed));
        _repository.Add(SmallRepository.Row("/nested", CatalogFlags.Directory | CatalogFlags.NestedMountpoint, 0x41ed));
        _repository.Add(SmallRepository.Row("/lost", CatalogFlags.Directory | CatalogFlags.NestedMountpoint, 0x41ed));
        _chunk = _repository.AddChunked("/chunked", Bytes(0, 10), Bytes(10, 20), Bytes(30, 3))[1];
        _repository.Add(SmallRepository.Row("/objectless", CatalogFlags.File, 0x81a4) with { SizeBytes = 3 });
        ObjectKey key = _repository.AddFile("/unlinked", "same"u8.ToArray());
        byte[] digest = new byte[20];
        key.CopyDigestTo(digest);
        CatalogRow linked = SmallRepository.Row("/one", CatalogFlags.File, 0x81a4) with
        {
            SizeBytes = 4,
            Digest = digest,
            HardLinks = pair,
            Xattrs = XattrList.Encode([KeyValuePair.Create("user.a"u8.ToArray(), "1"u8.ToArray())]),
            LinkTarget = "t"u8.ToArray(),
        };
        Link(linked, "one", row => row);
        Link(linked, "two", row => row);
        Link(linked, "group", row => row with { HardLinks = CatalogRow.LinksOf(6, 2) });
        Link(linked, "mode", row => row with { Mode = 0x81a5 });
        Link(linked, "uid", row => row with { Uid = 1 });
        Link(linked, "highuid", row => row with { Uid = 1 << 24 });
        Link(linked, "gid", row => row with { Gid = 1 });
        Link(linked, "highgid", row => row with { Gid = 1 << 24 });
        Link(linked, "time", row => row with { ModifiedAt = 1 });
        Link(linked, "size", row => row with { SizeBytes = 5 });
        Link(linked, "flags", row => row with { Flags = CatalogFlags.File | CatalogFlags.External });
        Link(linked, "object", row => row with { Digest = Bytes(1, 20) });
        Link(linked, "nothing", row => row with { Digest = default });
        Link(linked, "target", row => row with { LinkTarget = "u"u8.ToArray() });
        Link(linked, "targetless", row => row with { LinkTarget = default });
        Link(linked, "xattrs", row => row with { Xattrs = XattrList.Encode([KeyValuePair.Create("user.b"u8.ToArray(), "1"u8.ToArray())]) });
        Link(linked, "xattrless", row => row with { Xattrs = default });
        Link(linked, "directory", row => row with { Flags = CatalogFlags.Directory });
        Link(linked, "directory2", row => row with { Flags = CatalogFlags.Directory });
        _mounted = new MountedTree(_repository, _repository.WriteCatalog("", ("/nested", nested)));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        _mounted.Dispose();
        await _repository.DisposeAsync();
    }

    /// <summary>Some publishers use a group's number twice: who differs in anything that a reader sees is another file.</summary>
    [Fact]
    public void Node_OfNamesOfOneGroup_IsTheSameWhereAllThatIsSeenIs()
    {
        Node one = _mounted.Walk("one");
        Assert.Same(one, _mounted.Walk("two"));
        Assert.Equal(2UL, one.References);
        string[] others = ["group", "mode", "uid", "highuid", "gid", "highgid", "time", "size", "flags", "object", "nothing", "target",
            "targetless", "xattrs", "xattrless", "directory", "directory2", "unlinked"];
        Node[] nodes = [one, .. others.Select(_mounted.Walk)];
        Assert.Equal(nodes.Length, nodes.Select(node => node.Id).Distinct().Count());
        Assert.All(nodes, node => Assert.Same(node, _mounted.Tree.Nodes.Find(node.Id)));
        Assert.Equal(1 + nodes.Length, _mounted.Tree.Nodes.Count);
    }

    [Fact]
    public void Forget_OfMoreOrOfOthers_TakesNoMoreThanThereIs()
    {
        NodeTable nodes = _mounted.Tree.Nodes;
        Node one = _mounted.Walk("one");
        _mounted.Walk("two");
        nodes.Forget(4711, 1);
        nodes.Forget(one.Id, 1);
        Assert.Equal(1UL, one.References);
        Assert.Same(one, nodes.Find(one.Id));
        nodes.Forget(one.Id, ulong.MaxValue);
        Assert.Null(nodes.Find(one.Id));
        Node again = _mounted.Walk("one");
        Assert.NotSame(one, again);
        Assert.NotEqual(one.Id, again.Id);
    }

    [Fact]
    public void Walk_IntoANestedCatalog_HasWhatIsThere()
    {
        Assert.Equal("inside", Encoding.ASCII.GetString(_mounted.ReadFile("nested/inside")));
        Assert.Equal(["inside"], _mounted.Tree.List(_mounted.Walk("nested"))!.Select(line => Encoding.ASCII.GetString(line.Name)));
        Node lost = _mounted.Walk("lost");
        Assert.Equal((Errno.InputOutput, null), _mounted.Tree.Lookup(lost, "x"u8));
        Assert.Null(_mounted.Tree.List(lost));
    }

    /// <summary>Every piece of a file in chunks, over all its borders.</summary>
    [Fact]
    public void Read_OfAFileInChunks_HasTheBytesOfEveryPiece()
    {
        Node node = _mounted.Walk("chunked");
        byte[] all = Bytes(0, 33);
        for (int from = 0; from < all.Length; from++)
        {
            for (int to = from; to <= all.Length; to++)
            {
                byte[] piece = new byte[to - from];
                Assert.Equal(0, _mounted.Tree.Read(node, from, piece, CancellationToken.None));
                Assert.Equal(all[from..to], piece);
            }
        }

        Assert.Equal(Errno.InputOutput, _mounted.Tree.Read(node, 33, new byte[1], CancellationToken.None));
        Assert.Equal(Errno.InputOutput, _mounted.Tree.Read(node, 30, new byte[4], CancellationToken.None));
        Assert.Equal(1, _repository.Server.RequestCount(SmallRepository.UrlOf(_chunk)));
    }

    [Fact]
    public void Read_OfWhatIsNotThere_IsAnError()
    {
        Assert.Equal(Errno.InputOutput, _mounted.Tree.Read(_mounted.Walk("objectless"), 0, new byte[1], CancellationToken.None));
        Assert.Equal(Errno.InputOutput, _mounted.Tree.Read(_mounted.Walk("flags"), 0, new byte[1], CancellationToken.None));
        _repository.Server.Put(SmallRepository.UrlOf(_chunk), null);
        Node chunked = _mounted.Walk("chunked");
        Assert.Equal(0, _mounted.Tree.Read(chunked, 0, new byte[10], CancellationToken.None));
        Assert.Equal(Errno.InputOutput, _mounted.Tree.Read(chunked, 0, new byte[11], CancellationToken.None));
        Assert.Equal(0, _mounted.Tree.Read(chunked, 30, new byte[3], CancellationToken.None));
    }

    [Fact]
    public async Task Begin_OfWhatIsNoRootCatalog_IsRefused()
    {
        await using SmallRepository other = new();
        other.Add(SmallRepository.Row("", CatalogFlags.File, 0x81a4));
        ObjectKey file = other.WriteCatalog();
        ObjectKey empty = other.WriteCatalog();
        ObjectKey damaged = other.Put("no database"u8.ToArray(), isPlain: false, ObjectKind.Catalog);
        using var mounted = new MountedTree(SmallRepository.Fqrn, other.Server.Address);
        var absent = new ObjectKey(new byte[20], DigestAlgorithm.Sha1, ObjectKind.Catalog);
        foreach (ObjectKey root in (ObjectKey[])[file, empty, damaged, absent])
        {
            Assert.False(mounted.Tree.Begin(root));
        }

        Assert.Equal(0, mounted.Tree.Nodes.Count);
    }

    /// <summary>A key that is stored as text reads as that of its path, and no question by it finds the row.</summary>
    [Fact]
    public async Task List_OfARowWhoseAttributesCannotBeFound_IsAnError()
    {
        await using SmallRepository other = new()
        {
            Change = "UPDATE catalog SET md5path_1=CAST(CAST(md5path_1 AS TEXT) AS BLOB) WHERE name='file'",
        };
        other.Add(SmallRepository.Row("", CatalogFlags.Directory, 0x41ed));
        other.AddFile("/file", [1]);
        using var mounted = new MountedTree(other, other.WriteCatalog());

        Assert.Null(mounted.Tree.List(mounted.Tree.Nodes.Find(1)!));
    }

    private static byte[] Bytes(int from, int count) => [.. Enumerable.Range(from, count).Select(i => (byte)i)];

    private void Link(CatalogRow row, string name, Func<CatalogRow, CatalogRow> change) => _repository.Add(change(row) with
    {
        Key = PathKey.Of("/" + name),
        Name = Encoding.ASCII.GetBytes(name),
    });
}
