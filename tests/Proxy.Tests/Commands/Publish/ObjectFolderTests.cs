using System.IO.Compression;
using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Commands.Publish;

/// <summary>Objects as clients find them, whole, and what is counted of them.</summary>
public sealed class ObjectFolderTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ObjectFolder _folder;

    public ObjectFolderTests()
    {
        _folder = new ObjectFolder(_directory.Path, _directory.Combine("tmp"));
        _folder.Create();
    }

    public void Dispose() => _directory.Dispose();

    /// <summary>Beyond 256 KiB an object is written to a file as it comes.</summary>
    [Theory]
    [InlineData(0, '\0')]
    [InlineData(5, 'C')]
    [InlineData(200 << 10, '\0')]
    [InlineData(1 << 20, 'P')]
    public void Put_OfAnyLength_IsThereUnderItsHashAndCountedOnce(int length, char kind)
    {
        byte[] content = Bytes(length);

        ObjectKey key = _folder.Put(content, kind);

        byte[] wire = File.ReadAllBytes(_folder.PathOf(key));
        Assert.Equal(key, new ObjectKey(SHA1.HashData(wire), DigestAlgorithm.Sha1, (ObjectKind)kind));
        Assert.Equal(content, Inflated(wire));
        Assert.Equal((1, wire.Length), (_folder.Added, _folder.AddedBytes));
        Assert.True(_folder.Contains(key));
        Assert.Equal(key, _folder.Put(content, kind));
        Assert.Equal((1, wire.Length), (_folder.Added, _folder.AddedBytes));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Temporary));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(1 << 20)]
    public void Put_WhereObjectsAreWrittenAnew_MendsWhatIsThereAndCountsItNot(int length)
    {
        ObjectKey key = _folder.Put(Bytes(length), '\0');
        byte[] right = File.ReadAllBytes(_folder.PathOf(key));
        File.WriteAllBytes(_folder.PathOf(key), [1, 2, 3]);
        _folder.Put(Bytes(length), '\0');
        Assert.Equal([1, 2, 3], File.ReadAllBytes(_folder.PathOf(key)));
        var rewriting = new ObjectFolder(_directory.Path, _directory.Combine("tmp")) { IsRewriting = true };

        Assert.Equal(key, rewriting.Put(Bytes(length), '\0'));

        Assert.Equal(right, File.ReadAllBytes(_folder.PathOf(key)));
        Assert.Equal((0, 0), (rewriting.Added, rewriting.AddedBytes));
    }

    [Fact]
    public void Object_ThatIsInAStore_IsNotWrittenAgain()
    {
        ObjectKey key = _folder.Put(Bytes(7), '\0');
        File.Delete(_folder.PathOf(key));
        Assert.False(_folder.Contains(key));
        var folder = new ObjectFolder(_directory.Path, _directory.Combine("tmp")) { Elsewhere = new HashSet<ObjectKey> { key } };

        folder.Put(Bytes(7), '\0');

        Assert.True(folder.Contains(key));
        Assert.False(File.Exists(folder.PathOf(key)));
        Assert.Equal(0, folder.Added);
    }

    [Fact]
    public void PutFile_OfAFile_TakesItAway()
    {
        string file = _directory.Combine("given");
        byte[] content = Bytes(300_000);
        File.WriteAllBytes(file, content);

        ObjectKey key = _folder.PutFile(file, 'H');

        Assert.Equal(ObjectKind.History, key.Kind);
        Assert.Equal(content, Inflated(File.ReadAllBytes(_folder.PathOf(key))));
        Assert.False(File.Exists(file));
    }

    [Fact]
    public void Draft_ThatIsGivenUp_LeavesNothing()
    {
        using (ObjectDraft draft = _folder.Begin())
        {
            draft.Write(Bytes(1 << 20));
            Assert.Single(Directory.EnumerateFileSystemEntries(_folder.Temporary));
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Temporary));
        Assert.Equal(0, _folder.Added);
    }

    [Fact]
    public void Create_OfTheFolders_MakesOneForEachFirstByte() =>
        Assert.Equal([.. Enumerable.Range(0, 256).Select(i => i.ToString("x2", System.Globalization.CultureInfo.InvariantCulture))],
            Directory.EnumerateDirectories(_directory.Combine("data")).Select(Path.GetFileName).Order(StringComparer.Ordinal));

    /// <summary>Bytes that do not become fewer when they are compressed.</summary>
    private static byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static byte[] Inflated(byte[] wire)
    {
        using var zlib = new ZLibStream(new MemoryStream(wire), CompressionMode.Decompress);
        using var content = new MemoryStream();
        zlib.CopyTo(content);
        return content.ToArray();
    }
}
