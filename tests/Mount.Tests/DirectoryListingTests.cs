using System.Buffers.Binary;
using System.Text;
using Breakwater.Repositories;

namespace Breakwater.Mount.Tests;

/// <summary>Directories as the kernel reads them, in pieces, and the references that it takes and gives back.</summary>
public sealed class DirectoryListingTests : IAsyncLifetime
{
    private readonly SmallRepository _repository = new();
    private readonly byte[] _to = new byte[FileSystem.MaxAnswerBytes];
    private MountedTree _mounted = null!;
    private FileSystem _files = null!;

    public Task InitializeAsync()
    {
        _repository.Add(SmallRepository.Row("", CatalogFlags.Directory, 0x41ed));
        _repository.AddFile("/a", [1]);
        _repository.AddFile("/hidden", [1], CatalogFlags.File | CatalogFlags.Hidden);
        _repository.Add(SmallRepository.Row("/eight888", CatalogFlags.Directory, 0x41ed));
        _repository.Add(SmallRepository.Row("/ninechars", CatalogFlags.File | CatalogFlags.Link, 0xa1ff) with
        {
            LinkTarget = "a"u8.ToArray(),
        });
        _mounted = new MountedTree(_repository, _repository.WriteCatalog());
        _files = new FileSystem(_mounted.Tree, new Dictionary<string, string>());
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        _mounted.Dispose();
        await _repository.DisposeAsync();
    }

    [Fact]
    public void List_OfADirectory_HasNamesTypesAndWhereToGoOn()
    {
        Array.Fill(_to, (byte)0xee);
        Assert.Equal(0, Answer(KernelRequest.Read(FuseOpcode.ReadDirectory, 1, 0, 4096), out int length));
        Assert.Equal(
            [(ulong.MaxValue, 1L, 8, "a", 32), (ulong.MaxValue, 2L, 4, "eight888", 32), (ulong.MaxValue, 3L, 10, "ninechars", 40)],
            Entries(length, 0));
        Assert.Equal(1, _mounted.Tree.Nodes.Count); // nothing is looked up by it
    }

    /// <summary>What does not fit whole is left to the next piece.</summary>
    [Theory]
    [InlineData(0, 103, "a,eight888")]
    [InlineData(0, 104, "a,eight888,ninechars")]
    [InlineData(0, 64, "a,eight888")]
    [InlineData(0, 63, "a")]
    [InlineData(0, 31, "")]
    [InlineData(1, 4096, "eight888,ninechars")]
    [InlineData(2, 4096, "ninechars")]
    [InlineData(2, 40, "ninechars")]
    [InlineData(2, 39, "")]
    [InlineData(3, 4096, "")]
    [InlineData(-1, 4096, "")]
    public void List_InPieces_GoesOnWhereItIsTold(long offset, int size, string expected)
    {
        Assert.Equal(0, Answer(KernelRequest.Read(FuseOpcode.ReadDirectory, 1, (ulong)offset, (uint)size), out int length));
        Assert.Equal(expected, string.Join(',', Entries(length, 0).Select(entry => entry.Name)));
    }

    [Fact]
    public void List_IntoLessRoom_EndsThere()
    {
        byte[] request = KernelRequest.Read(FuseOpcode.ReadDirectory, 1, 0, 4096);
        Assert.Equal(0, _files.Answer(request, _to.AsSpan(0, 40), out int length, CancellationToken.None));
        Assert.Equal(32, length);
    }

    /// <summary>With attributes, every name that is told is a reference more.</summary>
    [Fact]
    public void List_WithAttributes_IsALookUpOfEachName()
    {
        Assert.Equal(0, Answer(KernelRequest.Read(FuseOpcode.ReadDirectoryPlus, 1, 0, (128 * 3) + 103), out int length));
        List<(ulong Id, long Next, int Type, string Name, int Bytes)> entries = Entries(length, 128);
        Assert.Equal(["a", "eight888"], entries.Select(entry => entry.Name));
        Assert.Equal([1L, 2L], entries.Select(entry => entry.Next));
        Assert.All(entries, entry => Assert.NotNull(_mounted.Tree.Nodes.Find(entry.Id)));
        Assert.Equal(3, _mounted.Tree.Nodes.Count);
        Assert.Equal(entries[0].Id, BinaryPrimitives.ReadUInt64LittleEndian(_to));
        Assert.Equal(86400UL, BinaryPrimitives.ReadUInt64LittleEndian(_to.AsSpan(16)));
        Assert.Equal(0x81a4u, BinaryPrimitives.ReadUInt32LittleEndian(_to.AsSpan(40 + 60)));

        Assert.Equal(0, Answer(KernelRequest.Of(FuseOpcode.Lookup, 1, [.. "a"u8, 0]), out _));
        Assert.Equal(entries[0].Id, BinaryPrimitives.ReadUInt64LittleEndian(_to));
        Assert.Equal(0, Answer(KernelRequest.Forget((entries[0].Id, 1), (entries[1].Id, 1)), out length));
        Assert.Equal(0, length);
        Assert.NotNull(_mounted.Tree.Nodes.Find(entries[0].Id));
        Assert.Null(_mounted.Tree.Nodes.Find(entries[1].Id));
        Assert.Equal(0, Answer(KernelRequest.Forget(entries[0].Id, 1), out _));
        Assert.Equal(1, _mounted.Tree.Nodes.Count);
    }

    [Fact]
    public void List_OfADirectoryAgain_IsRememberedForTheLastEight()
    {
        Node root = _mounted.Tree.Nodes.Find(1)!;
        List<Node> others = [.. Enumerable.Range(2, 8).Select(id => new Node
        {
            Id = (ulong)id,
            Path = "/eight888"u8.ToArray(),
            Entry = root.Entry,
            Attributes = root.Attributes,
            Catalog = root.Catalog,
            Identity = root.Identity,
        })];
        List<Listed> first = _mounted.Tree.List(root)!;
        List<Listed> second = _mounted.Tree.List(others[0])!;
        others.Take(7).ToList().ForEach(node => _mounted.Tree.List(node));
        Assert.Same(first, _mounted.Tree.List(root));
        _mounted.Tree.List(others[7]);
        Assert.NotSame(first, _mounted.Tree.List(root));
        Assert.NotSame(second, _mounted.Tree.List(others[0]));
        Assert.Equal(["a", "eight888", "ninechars"], _mounted.Tree.List(root)!.Select(line => Encoding.UTF8.GetString(line.Name)));
    }

    private int Answer(byte[] request, out int length) => _files.Answer(request, _to, out length, CancellationToken.None);

    private List<(ulong Id, long Next, int Type, string Name, int Bytes)> Entries(int length, int head)
    {
        List<(ulong Id, long Next, int Type, string Name, int Bytes)> entries = [];
        for (int at = 0; at < length;)
        {
            Span<byte> one = _to.AsSpan(at + head);
            int name = BinaryPrimitives.ReadInt32LittleEndian(one[16..]);
            int bytes = (24 + name + 7) / 8 * 8;
            Assert.All(one[(24 + name)..bytes].ToArray(), b => Assert.Equal(0, b));
            entries.Add((
                BinaryPrimitives.ReadUInt64LittleEndian(one),
                BinaryPrimitives.ReadInt64LittleEndian(one[8..]),
                BinaryPrimitives.ReadInt32LittleEndian(one[20..]),
                Encoding.UTF8.GetString(one.Slice(24, name)),
                bytes));
            at += head + bytes;
        }

        return entries;
    }
}
