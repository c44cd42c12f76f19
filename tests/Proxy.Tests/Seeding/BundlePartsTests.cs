using Breakwater.Proxy.Seeding.Format;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Seeding;

/// <summary>Bundles in parts, for file systems that take no large file.</summary>
public sealed class BundlePartsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Bundle => _directory.Combine("lab.tar");

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(25)]
    public async Task Parts_WrittenAndJoined_AreTheBundle(int length)
    {
        byte[] bytes = [.. Enumerable.Range(0, length).Select(i => (byte)(i < length - 10 ? i + 1 : 0))]; // zeros are its end
        await WriteAsync(bytes);

        Assert.Equal((length + 9) / 10, Directory.GetFiles(_directory.Path).Length);
        Assert.All(Directory.GetFiles(_directory.Path), file => Assert.InRange(new FileInfo(file).Length, 1, 10));
        foreach (string name in (string[])[Bundle, Bundle + ".001"])
        {
            await using Stream joined = BundleParts.Open(name);
            using var read = new MemoryStream();
            await joined.CopyToAsync(read);
            Assert.Equal(bytes, read.ToArray());
        }
    }

    [Fact]
    public async Task Parts_WrittenPieceByPiece_AreFullButTheLast()
    {
        await WriteAsync([1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12], [13, 14, 15, 16, 17, 18, 19, 20], [21]);

        byte[][] parts = [.. Directory.GetFiles(_directory.Path).Order().Select(File.ReadAllBytes)];
        Assert.Equal([10, 10, 1], parts.Select(part => part.Length));
        Assert.Equal(Enumerable.Range(1, 21).Select(i => (byte)i), parts.SelectMany(part => part));
    }

    [Fact]
    public async Task Parts_OneIsMissing_IsToldByItsName()
    {
        await WriteAsync(new byte[35]);
        File.Delete(Bundle + ".002");

        FileNotFoundException missing = Assert.Throws<FileNotFoundException>(() => BundleParts.Open(Bundle));

        Assert.Contains("lab.tar.002 is missing", missing.Message, StringComparison.Ordinal);
    }

    // 11: only "is cut off: 34531 bytes are missing", which names nothing to copy.
    [Fact]
    public async Task Parts_TheLastIsMissing_IsToldByItsName()
    {
        await WriteAsync([.. Enumerable.Repeat((byte)1, 25), .. new byte[10]]);
        File.Delete(Bundle + ".004");

        foreach (string name in (string[])[Bundle, Bundle + ".001"])
        {
            FileNotFoundException missing = Assert.Throws<FileNotFoundException>(() => BundleParts.Open(name));
            Assert.Equal($"Part {Bundle}.004 is missing: the bundle does not end with {Bundle}.003. Copy it, too.", missing.Message);
        }
    }

    [Fact]
    public async Task Parts_TheLastIsCutOff_IsToldByItsName()
    {
        await WriteAsync([.. Enumerable.Repeat((byte)1, 25), .. new byte[10]]);
        await File.WriteAllBytesAsync(Bundle + ".004", [1]);

        Assert.StartsWith($"Part {Bundle}.004 is shorter than the others",
            Assert.Throws<FileNotFoundException>(() => BundleParts.Open(Bundle)).Message, StringComparison.Ordinal);
    }

    // 11: "the bundle has parts up to 1", of nothing.
    [Theory]
    [InlineData("")]
    [InlineData(".001")]
    public void Parts_NoneIsThere_AreNotSpokenOf(string end)
    {
        FileNotFoundException missing = Assert.Throws<FileNotFoundException>(() => BundleParts.Open(Bundle + end));

        Assert.Contains(Bundle + end, missing.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("parts up to", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parts_OnlyTheFirstIsMissing_IsToldByItsName()
    {
        await WriteAsync(new byte[15]);
        File.Delete(Bundle + ".001");

        Assert.Contains("lab.tar.001 is missing", Assert.Throws<FileNotFoundException>(() => BundleParts.Open(Bundle)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parts_OfAnEarlierLongerBundle_AreGone()
    {
        await WriteAsync(new byte[35]);
        await WriteAsync(new byte[12]);

        Assert.Equal(["lab.tar.001", "lab.tar.002"], Directory.GetFiles(_directory.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Parts_Abandoned_LeaveNothingAndTheEarlierOnes()
    {
        await WriteAsync([1]);
        await using (var parts = new SplitFiles(Bundle, 10))
        {
            await parts.WriteAsync(new byte[25]);
            parts.Abandon();
        }

        Assert.Equal([Bundle + ".001"], Directory.GetFiles(_directory.Path));
        Assert.Equal([1], await File.ReadAllBytesAsync(Bundle + ".001"));
    }

    [Fact]
    public async Task Open_AWholeFile_IsThatFile()
    {
        await File.WriteAllBytesAsync(Bundle, [7]);
        await File.WriteAllBytesAsync(Bundle + ".002", [8]);

        await using Stream whole = BundleParts.Open(Bundle);

        Assert.Equal(7, whole.ReadByte());
        Assert.Equal(-1, whole.ReadByte());
    }

    private async Task WriteAsync(params byte[][] pieces)
    {
        await using var parts = new SplitFiles(Bundle, 10);
        foreach (byte[] piece in pieces)
        {
            await parts.WriteAsync(piece);
        }

        parts.Complete();
    }
}
