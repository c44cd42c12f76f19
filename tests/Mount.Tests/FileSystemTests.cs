using System.Buffers.Binary;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Repositories;
using Breakwater.Repositories.Writing;

namespace Breakwater.Mount.Tests;

/// <summary>What the kernel is answered, to the byte.</summary>
public sealed class FileSystemTests : IAsyncLifetime
{
    private readonly SmallRepository _repository = new();
    private readonly byte[] _to = new byte[FileSystem.MaxAnswerBytes];
    private readonly byte[] _content = [.. Enumerable.Range(0, 1025).Select(i => (byte)i)];
    private MountedTree _mounted = null!;
    private FileSystem _files = null!;
    private ObjectKey _file;

    public Task InitializeAsync()
    {
        const CatalogFlags Special = CatalogFlags.File | CatalogFlags.Special;
        _repository.Add(SmallRepository.Row("", CatalogFlags.Directory, 0x41ed) with { HardLinks = 3, Uid = 3, Gid = 4 });
        _file = _repository.AddFile("/file", _content, SmallRepository.Plain | CatalogFlags.File, mode: 0x8124);
        _repository.AddFile("/name8888", new byte[512]);
        _repository.AddFile("/empty", []);
        _repository.Add(SmallRepository.Row("/null", Special, 0x21b6) with { SizeBytes = 0x103 });
        _repository.Add(SmallRepository.Row("/disk", Special, 0x61b0) with { SizeBytes = 0x800 });
        _repository.Add(SmallRepository.Row("/pipe", Special, 0x11a4) with { SizeBytes = 9, HardLinks = 0 });
        _repository.Add(SmallRepository.Row("/link", CatalogFlags.File | CatalogFlags.Link, 0xa1ff) with
        {
            SizeBytes = 99,
            LinkTarget = "$(BREAKWATER_NO_SUCH:-lib)/x"u8.ToArray(),
        });
        _repository.Add(SmallRepository.Row("/attributed", CatalogFlags.Directory, 0x41ed) with
        {
            ModifiedAt = -5,
            Uid = 0x01020304,
            Gid = 0x05060708,
            HardLinks = 2,
            Xattrs = XattrList.Encode([KeyValuePair.Create("user.a"u8.ToArray(), "value"u8.ToArray()),
                KeyValuePair.Create("user.long"u8.ToArray(), "x"u8.ToArray())]),
        });
        _repository.AddFile("/hidden", [1], CatalogFlags.File | CatalogFlags.Hidden);
        _repository.Add(SmallRepository.Row("/outside", CatalogFlags.File | CatalogFlags.External, 0x81a4) with { SizeBytes = 77 });
        _mounted = new MountedTree(_repository, _repository.WriteCatalog());
        _files = new FileSystem(_mounted.Tree, new Dictionary<string, string> { ["user.fqrn"] = SmallRepository.Fqrn });
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        _mounted.Dispose();
        await _repository.DisposeAsync();
    }

    [Theory]
    [InlineData("", 4096, 8, 0x41ed, 3, 0)]
    [InlineData("file", 1025, 3, 0x8124, 1, 0)]
    [InlineData("name8888", 512, 1, 0x81a4, 1, 0)]
    [InlineData("empty", 0, 0, 0x81a4, 1, 0)]
    [InlineData("null", 0, 0, 0x21b6, 1, 0x103)]
    [InlineData("disk", 0, 0, 0x61b0, 1, 0x800)]
    [InlineData("pipe", 0, 0, 0x11a4, 1, 0)]
    [InlineData("link", 5, 1, 0xa1ff, 1, 0)]
    [InlineData("attributed", 4096, 8, 0x41ed, 2, 0)]
    [InlineData("outside", 77, 1, 0x81a4, 1, 0)]
    public void GetAttr_OfEachKind_ShowsSizeModeLinksAndDevice(string name, long size, long blocks, int mode, int links, int device)
    {
        ulong id = name.Length == 0 ? 1 : LookUp(name);
        Array.Fill(_to, (byte)0xee);
        Assert.Equal(0, Answer(KernelRequest.Of(FuseOpcode.GetAttr, id), out int length));
        Assert.Equal(16 + 88, length);
        Assert.Equal((86400L, 0L), (Long(0), Long(8)));
        ShowsAttributes(16, id, size, blocks, mode, links, device);
        long time = name == "attributed" ? -5 : 1_700_000_000;
        Assert.Equal((time, time, time), (Long(40), Long(48), Long(56)));
        Assert.Equal((0, 0, 0), (Int(64), Int(68), Int(72))); // nanoseconds
        Assert.Equal(name.Length == 0 ? (3, 4) : name == "attributed" ? (0x01020304, 0x05060708) : (0, 0), (Int(84), Int(88)));
        Assert.Equal((4096, 0), (Int(96), Int(100)));
    }

    [Fact]
    public void Lookup_OfAName_HasTheAnswerOfGetAttrAndIsValidForADay()
    {
        ulong id = LookUp("file");
        Assert.True(id > 1);
        Assert.Equal((0L, 86400L, 86400L, 0L), (Long(8), Long(16), Long(24), Long(32)));
        ShowsAttributes(40, id, 1025, 3, 0x8124, 1, 0);
        Assert.Equal(id, LookUp("file"));
        Assert.NotEqual(id, LookUp("empty"));
    }

    /// <summary>Node 0 for a day: the kernel does not ask again for what is not there.</summary>
    [Fact]
    public void Lookup_OfNoName_IsAnAnswerToRemember()
    {
        Array.Fill(_to, (byte)0xee);
        Assert.Equal(0, Answer(KernelRequest.Of(FuseOpcode.Lookup, 1, [.. "absent"u8, 0]), out int length));
        Assert.Equal(128, length);
        Assert.Equal((0L, 86400L, 86400L), (Long(0), Long(16), Long(24)));
        Assert.All(_to[32..128], b => Assert.Equal(0, b));
    }

    [Fact]
    public void Lookup_InWhatIsNoDirectoryOrIsForgotten_IsAnError()
    {
        Assert.Equal(Errno.InputOutput, Answer(KernelRequest.Of(FuseOpcode.Lookup, LookUp("file"), [.. "x"u8, 0]), out int length));
        Assert.Equal(0, length);
        Assert.Equal(Errno.NoEntry, Answer(KernelRequest.Of(FuseOpcode.Lookup, 4711, [.. "x"u8, 0]), out _));
        Assert.Equal(Errno.NoEntry, Answer(KernelRequest.Of(FuseOpcode.GetAttr, 0), out _));
    }

    [Theory]
    [InlineData(0, 1025, 1025)]
    [InlineData(0, 4096, 1025)]
    [InlineData(0, 10, 10)]
    [InlineData(1000, 25, 25)]
    [InlineData(1000, 26, 25)]
    [InlineData(1024, 4096, 1)]
    [InlineData(1025, 4096, 0)]
    [InlineData(5000, 1, 0)]
    [InlineData(-1, 4096, 0)]
    public void Read_OfAPiece_HasTheBytesUpToTheFilesEnd(long offset, int size, int expected)
    {
        Assert.Equal(0, Answer(KernelRequest.Read(FuseOpcode.Read, LookUp("file"), (ulong)offset, (uint)size), out int length));
        Assert.Equal(expected, length);
        Assert.Equal(expected == 0 ? [] : _content[(int)offset..(int)(offset + expected)], _to[..length]);
    }

    [Fact]
    public void Read_IntoLessRoom_IsNoLongerThanThat()
    {
        int error = _files.Answer(
            KernelRequest.Read(FuseOpcode.Read, LookUp("file"), 0, 4096), _to.AsSpan(0, 100), out int length, CancellationToken.None);
        Assert.Equal((0, 100), (error, length));
    }

    [Fact]
    public void Read_OfWhatIsOutsideOfTheRepository_IsAnError() =>
        Assert.Equal(Errno.InputOutput, Answer(KernelRequest.Read(FuseOpcode.Read, LookUp("outside"), 0, 10), out _));

    [Fact]
    public void ReadLink_OfALink_IsItsTargetWithVariablesReplaced()
    {
        Assert.Equal(0, Answer(KernelRequest.Of(FuseOpcode.ReadLink, LookUp("link")), out int length));
        Assert.Equal("lib/x", Text(0, length));
    }

    [Fact]
    public void ReadXattr_OfEachName_HasItsValueOrTheRoomThatItNeeds()
    {
        ulong id = LookUp("attributed");
        Array.Fill(_to, (byte)0xee);
        Assert.Equal(0, Answer(KernelRequest.Xattr(id, "user.a", 0), out int length));
        Assert.Equal((8, 5L), (length, Long(0)));
        Assert.Equal(Errno.Range, Answer(KernelRequest.Xattr(id, "user.a", 4), out length));
        Assert.Equal(0, length);
        Assert.Equal(0, Answer(KernelRequest.Xattr(id, "user.a", 5), out length));
        Assert.Equal("value", Text(0, length));
        Assert.Equal(0, Answer(KernelRequest.Xattr(id, "user.long", 99), out length));
        Assert.Equal("x", Text(0, length));
        Assert.Equal(0, Answer(KernelRequest.Xattr(id, "user.fqrn", 99), out length));
        Assert.Equal(SmallRepository.Fqrn, Text(0, length));
        Assert.Equal(Errno.NoData, Answer(KernelRequest.Xattr(id, "user.b", 99), out _));
        Assert.Equal(Errno.NoData, Answer(KernelRequest.Xattr(id, "user.hash", 99), out _)); // a directory has no object
        Assert.Equal(0, Answer(KernelRequest.Xattr(LookUp("file"), "user.hash", 99), out length));
        Assert.Equal(_file.ToString(), Text(0, length));
    }

    [Fact]
    public void ListXattr_NamesWhatTheCatalogHas()
    {
        Assert.Equal(0, Answer(KernelRequest.Of(FuseOpcode.ListXattr, LookUp("attributed"), 99, 0, 0, 0, 0, 0, 0, 0), out int length));
        Assert.Equal("user.a\0user.long\0", Text(0, length));
        Assert.Equal(0, Answer(KernelRequest.Of(FuseOpcode.ListXattr, LookUp("file"), 99, 0, 0, 0, 0, 0, 0, 0), out length));
        Assert.Equal(0, length);
    }

    [Theory]
    [InlineData(31, 31)]
    [InlineData(30, 30)]
    [InlineData(45, 31)]
    public void Init_AnswersTheProtocolAndTheFeaturesOfBoth(int minor, int answered)
    {
        byte[] rest = new byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(rest, 7);
        BinaryPrimitives.WriteUInt32LittleEndian(rest.AsSpan(4), (uint)minor);
        BinaryPrimitives.WriteUInt32LittleEndian(rest.AsSpan(8), 131072);
        BinaryPrimitives.WriteUInt32LittleEndian(rest.AsSpan(12), uint.MaxValue);
        Array.Fill(_to, (byte)0xee);
        Assert.Equal(0, Answer(KernelRequest.Of(FuseOpcode.Init, 0, rest), out int length));
        Assert.Equal(64, length);
        int[] features = [0, 5, 13, 14, 17, 18, 22, 23, 24];
        Assert.Equal((7, answered, 131072, features.Sum(bit => 1 << bit)), (Int(0), Int(4), Int(8), Int(12)));
        Assert.Equal((64, 48), (Short(16), Short(18)));
        Assert.Equal((4096, 1_000_000_000), (Int(20), Int(24)));
        Assert.Equal(256, Int(28));
        Assert.All(_to[32..64], b => Assert.Equal(0, b));

        BinaryPrimitives.WriteUInt32LittleEndian(rest.AsSpan(12), 1 | 2 | (1 << 30)); // what a kernel has and we do not
        Answer(KernelRequest.Of(FuseOpcode.Init, 0, rest), out _);
        Assert.Equal(1, Int(12));
    }

    [Fact]
    public void StatFs_HasBlocksOfAPageAndLongNames()
    {
        Array.Fill(_to, (byte)0xee);
        Assert.Equal(0, Answer(KernelRequest.Of(FuseOpcode.StatFs, 1), out int length));
        Assert.Equal(80, length);
        Assert.All(_to[..40], b => Assert.Equal(0, b));
        Assert.Equal((4096, 255, 4096), (Int(40), Int(44), Int(48)));
        Assert.All(_to[52..80], b => Assert.Equal(0, b));
    }

    [Theory]
    [InlineData((int)FuseOpcode.SetAttr, Errno.ReadOnly)]
    [InlineData((int)FuseOpcode.Symlink, Errno.ReadOnly)]
    [InlineData((int)FuseOpcode.MakeNode, Errno.ReadOnly)]
    [InlineData((int)FuseOpcode.MakeDirectory, Errno.ReadOnly)]
    [InlineData((int)FuseOpcode.Unlink, Errno.ReadOnly)]
    [InlineData((int)FuseOpcode.RemoveDirectory, Errno.ReadOnly)]
    [InlineData((int)FuseOpcode.Rename, Errno.ReadOnly)]
    [InlineData((int)FuseOpcode.Rename2, Errno.ReadOnly)]
    [InlineData((int)FuseOpcode.Link, Errno.ReadOnly)]
    [InlineData((int)FuseOpcode.Write, Errno.ReadOnly)]
    [InlineData((int)FuseOpcode.SetXattr, Errno.ReadOnly)]
    [InlineData((int)FuseOpcode.RemoveXattr, Errno.ReadOnly)]
    [InlineData((int)FuseOpcode.Create, Errno.ReadOnly)]
    [InlineData((int)FuseOpcode.Open, Errno.NotImplemented)]
    [InlineData((int)FuseOpcode.OpenDirectory, Errno.NotImplemented)]
    [InlineData(4711, Errno.NotImplemented)]
    [InlineData((int)FuseOpcode.Flush, 0)]
    [InlineData((int)FuseOpcode.Release, 0)]
    [InlineData((int)FuseOpcode.ReleaseDirectory, 0)]
    [InlineData((int)FuseOpcode.Destroy, 0)]
    public void Answer_ToWhatHasNoData_IsANumberAlone(int opcode, int expected)
    {
        Assert.Equal(expected, Answer(KernelRequest.Of((FuseOpcode)opcode, 1), out int length));
        Assert.Equal(0, length);
    }

    private int Answer(byte[] request, out int length) => _files.Answer(request, _to, out length, CancellationToken.None);

    private ulong LookUp(string name)
    {
        Assert.Equal(0, Answer(KernelRequest.Of(FuseOpcode.Lookup, 1, [.. Encoding.UTF8.GetBytes(name), 0]), out int length));
        Assert.Equal(128, length);
        return (ulong)Long(0);
    }

    private void ShowsAttributes(int at, ulong id, long size, long blocks, int mode, int links, int device)
    {
        Assert.Equal(((long)id, size, blocks), (Long(at), Long(at + 8), Long(at + 16)));
        Assert.Equal((mode, links, device), (Int(at + 60), Int(at + 64), Int(at + 76)));
    }

    private long Long(int at) => BinaryPrimitives.ReadInt64LittleEndian(_to.AsSpan(at));

    private int Int(int at) => BinaryPrimitives.ReadInt32LittleEndian(_to.AsSpan(at));

    private int Short(int at) => BinaryPrimitives.ReadUInt16LittleEndian(_to.AsSpan(at));

    private string Text(int at, int length) => Encoding.UTF8.GetString(_to, at, length);
}
