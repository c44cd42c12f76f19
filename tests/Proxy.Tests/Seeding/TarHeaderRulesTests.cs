using System.Text;
using Breakwater.Proxy.Seeding.Format;

namespace Breakwater.Proxy.Tests.Seeding;

/// <summary>Headers whose checksum is right, so that what is wrong is in one field alone.</summary>
public sealed class TarHeaderRulesTests
{
    private const string Name = "cvmfs/a.example.org/.cvmfspublished";
    private const string NotPlain = "its mode, owner or time is not what a bundle has";
    private const string NoSize = "its size is not a number";
    private const string NotUstar = "is not a POSIX ustar header";
    private const string Malformed = "a name in its header is malformed";
    private const string NoLink = "its link is malformed";
    private const string Only = "; a bundle has regular files, and hard links between repositories, only";

    [Theory]
    [InlineData(0, "", null)]
    [InlineData(100, "0000755\0", NotPlain)]
    [InlineData(100, "0000645\0", NotPlain)]
    [InlineData(100, "000064x\0", NotPlain)]
    [InlineData(107, " ", NotPlain)]
    [InlineData(108, "0000001\0", NotPlain)]
    [InlineData(108, "0000000 ", NotPlain)]
    [InlineData(108, "\0\0\0\0\0\0\0\0", null)]
    [InlineData(108, "\0\0\0\0000\0\0", NotPlain)]
    [InlineData(116, "0000001\0", NotPlain)]
    [InlineData(116, "1000000\0", NotPlain)]
    [InlineData(124, "00000000004\0", null)]
    [InlineData(124, "77777777777\0", null)]
    [InlineData(124, "00000000008\0", NoSize)]
    [InlineData(124, "/0000000003\0", NoSize)]
    [InlineData(124, "0000000000x\0", NoSize)]
    [InlineData(135, " ", NoSize)]
    [InlineData(136, "00000000001\0", NotPlain)]
    [InlineData(136, "10000000000\0", NotPlain)]
    [InlineData(147, "0", NotPlain)]
    [InlineData(156, "1", NoLink)]
    [InlineData(156, "2", "is a symbolic link" + Only)]
    [InlineData(156, "3", "is a device" + Only)]
    [InlineData(156, "4", "is a device" + Only)]
    [InlineData(156, "5", "is a directory" + Only)]
    [InlineData(156, "6", "is a FIFO" + Only)]
    [InlineData(156, "7", "is of type 0x37" + Only)]
    [InlineData(156, "x", "is an extended header" + Only)]
    [InlineData(156, "g", "is an extended header" + Only)]
    [InlineData(156, "L", "is a GNU long name" + Only)]
    [InlineData(156, "K", "is a GNU long name" + Only)]
    [InlineData(156, "\0", "is of type 0x00" + Only)]
    [InlineData(157, "x", NoLink)]
    [InlineData(156, "1cvmfs/x", "is a link with a size")]
    [InlineData(257, "ustar  \0", NotUstar)]
    [InlineData(257, "Ustar", NotUstar)]
    [InlineData(264, "1", NotUstar)]
    [InlineData(265, "r", NotPlain)]
    [InlineData(297, "r", NotPlain)]
    [InlineData(328, "r", NotPlain)]
    [InlineData(329, "0000001\0", NotPlain)]
    [InlineData(329, "1000000\0", NotPlain)]
    [InlineData(337, "0000001\0", NotPlain)]
    [InlineData(337, "1000000\0", NotPlain)]
    [InlineData(500, "x", NotPlain)]
    [InlineData(511, "x", NotPlain)]
    [InlineData(0, "c f", Malformed)]
    [InlineData(0, "c\u007Ff", Malformed)]
    [InlineData(0, "c!~f", null)]
    [InlineData(99, "x", Malformed)]
    [InlineData(346, "x", Malformed)]
    [InlineData(499, "x", Malformed)]
    [InlineData(345, "p p", Malformed)]
    [InlineData(158, "x", Malformed)]
    [InlineData(256, "x", Malformed)]
    public async Task Header_WithThisInOneField_IsTakenOrSaysWhatIsWrong(int at, string text, string? expected)
    {
        byte[] block = await HeaderAsync();
        Encoding.Latin1.GetBytes(text).CopyTo(block, at);
        Seal(block);
        TarHeader.Read(block, out string? problem);
        Assert.Equal(expected, problem);
    }

    [Theory]
    [InlineData(148, "0")]
    [InlineData(148, "x")]
    [InlineData(153, "8")]
    [InlineData(154, " ")]
    [InlineData(155, "\0")]
    public async Task Header_WithThisInItsChecksum_DoesNotHaveIt(int at, string text)
    {
        byte[] block = await HeaderAsync();
        Seal(block);
        TarHeader.Read(block, out string? problem);
        Assert.Null(problem);
        if (text == "0")
        {
            block[152]++; // another number
        }
        else
        {
            block[at] = (byte)text[0];
        }

        TarHeader.Read(block, out problem);
        Assert.Equal("its header does not have its checksum", problem);
    }

    [Fact]
    public async Task Header_OfTheLongestNames_IsReadWhole()
    {
        byte[] block = await HeaderAsync();
        block.AsSpan(0, 100).Fill((byte)'n');
        block.AsSpan(345, 155).Fill((byte)'p');
        block[156] = (byte)'1';
        block.AsSpan(157, 100).Fill((byte)'t');
        "00000000000"u8.CopyTo(block.AsSpan(124));
        Seal(block);
        TarHeader header = TarHeader.Read(block, out string? problem);
        Assert.Null(problem);
        Assert.Equal(new TarHeader(new string('p', 155) + "/" + new string('n', 100), 0, new string('t', 100)), header);
        block[99] = (byte)' ';
        Seal(block);
        TarHeader.Read(block, out problem);
        Assert.Equal(Malformed, problem);
    }

    [Fact]
    public async Task Header_OfAFile_HasItsSize()
    {
        byte[] block = await HeaderAsync();
        "01234567012"u8.CopyTo(block.AsSpan(124));
        Seal(block);
        Assert.Equal(new TarHeader(Name, Convert.ToInt64("01234567012", 8), null), TarHeader.Read(block, out _));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 511)]
    [InlineData(511, 1)]
    [InlineData(512, 0)]
    [InlineData(513, 511)]
    public void PaddingAfter_ALength_FillsTheBlock(long length, int expected) => Assert.Equal(expected, TarHeader.PaddingAfter(length));

    private static async Task<byte[]> HeaderAsync()
    {
        using var tar = new MemoryStream();
        await using (var writer = new SeedWriter(tar))
        {
            await writer.WriteAsync(Name, new MemoryStream(new byte[3]), default);
        }

        return tar.ToArray()[..512];
    }

    /// <summary>Writes the checksum of a block into it.</summary>
    private static void Seal(byte[] block)
    {
        block.AsSpan(148, 8).Fill((byte)' ');
        Encoding.ASCII.GetBytes(Convert.ToString(block.Sum(b => b), 8).PadLeft(6, '0') + "\0 ").CopyTo(block, 148);
    }
}
