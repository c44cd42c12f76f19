using System.Net;
using System.Text;
using Breakwater.Proxy.Access;

namespace Breakwater.Proxy.Tests.Access;

/// <summary>The header of the PROXY protocol: what is right, what is not, and that no bytes are read in two ways.</summary>
public sealed class ProxyHeaderTests
{
    private static readonly byte[] s_signature = Encoding.ASCII.GetBytes("\r\n\r\n\0\r\nQUIT\n");
    private static readonly byte[] s_tcp4 = [10, 1, 2, 3, 10, 0, 0, 1, 0xC3, 0x50, 0x0C, 0x38];

    private static readonly byte[] s_tcp6 =
        [.. IPAddress.Parse("2001:db8::7").GetAddressBytes(), .. IPAddress.Parse("fc00::1").GetAddressBytes(), 0xC3, 0x50, 0x0C, 0x38];

    private static readonly byte[] s_mapped =
        [.. IPAddress.Parse("::ffff:10.1.2.3").GetAddressBytes(), .. IPAddress.Parse("::1").GetAddressBytes(), 0xC3, 0x50, 0x0C, 0x38];

    public static TheoryData<byte[], string?> Right => new()
    {
        { Line("PROXY TCP4 10.1.2.3 10.0.0.1 50000 3128"), "10.1.2.3:50000" },
        { Line("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535"), "255.255.255.255:65535" },
        { Line("PROXY TCP4 10.1.2.3 10.0.0.1 0 0"), "10.1.2.3:0" },
        { Line("PROXY TCP6 2001:db8::7 fc00::1 50000 3128"), "[2001:db8::7]:50000" },
        { Line("PROXY TCP6 2001:DB8:0:0:0:0:0:7 ::1 50000 3128"), "[2001:db8::7]:50000" },
        { Line("PROXY TCP6 ::ffff:10.1.2.3 ::1 50000 3128"), "10.1.2.3:50000" },
        { Line("PROXY TCP6 " + string.Join(' ', Enumerable.Repeat("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 2)) + " 65535 65535"),
            "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
        { Line("PROXY UNKNOWN"), null },
        { Line("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535"), null },
        { Binary(0x21, 0x11, s_tcp4), "10.1.2.3:50000" },
        { Binary(0x21, 0x21, s_tcp6), "[2001:db8::7]:50000" },
        { Binary(0x21, 0x21, s_mapped), "10.1.2.3:50000" },
        { Binary(0x21, 0x11, [.. s_tcp4, 0x04, 0, 2, 9, 9]), "10.1.2.3:50000" },                       // NOOP
        { Binary(0x21, 0x11, [.. s_tcp4, 0xEA, 0, 1, 1, 0x04, 0, 0]), "10.1.2.3:50000" },              // AWS, then an empty one
        { Binary(0x21, 0x11, [.. s_tcp4, 0x04, 0x0F, 0xF1 - 12, .. new byte[4081 - 12]]), "10.1.2.3:50000" }, // the longest
        { WithChecksum(0), "10.1.2.3:50000" },
        { Binary(0x20, 0x00, []), null },                                                              // LOCAL
        { Binary(0x20, 0x11, [1, 2, 3]), null },
        { Binary(0x21, 0x00, [1, 2, 3]), null },                                                       // UNSPEC
    };

    public static TheoryData<byte[]> Wrong => new()
    {
        Line("PROXY TCP4 10.1.2.3 10.0.0.1 50000"),
        Line("PROXY TCP4 10.1.2.3 10.0.0.1 50000 3128 "),
        Line("PROXY TCP4  10.1.2.3 10.0.0.1 50000 3128"),
        Line("PROXY TCP4 10.1.2.3 10.0.0.1 50000 3128 x"),
        Line("PROXY TCP4 10.1.2.03 10.0.0.1 50000 3128"),
        Line("PROXY TCP4 10.1.3 10.0.0.1 50000 3128"),
        Line("PROXY TCP4 10.1.2.256 10.0.0.1 50000 3128"),
        Line("PROXY TCP4 ::1 ::1 50000 3128"),
        Line("PROXY TCP6 10.1.2.3 10.0.0.1 50000 3128"),
        Line("PROXY TCP6 fe80::1%1 fe80::2 50000 3128"),
        Line("PROXY TCP6 [::1] ::1 50000 3128"),
        Line("PROXY TCP4 10.1.2.3 10.0.0.1 65536 3128"),
        Line("PROXY TCP4 10.1.2.3 10.0.0.1 050 3128"),
        Line("PROXY TCP4 10.1.2.3 10.0.0.1 -1 3128"),
        Line("PROXY TCP4 10.1.2.3 10.0.0.1 +1 3128"),
        Line("PROXY TCP4 10.1.2.3 nowhere 1 3128"),
        Line("PROXY TCP5 10.1.2.3 10.0.0.1 50000 3128"),
        Line("PROXY UDP4 10.1.2.3 10.0.0.1 50000 3128"),
        Line("PROXY UNKNOWNS"),
        Line("PROXY "),
        Line("proxy TCP4 10.1.2.3 10.0.0.1 50000 3128"),
        Line("PROXY UNKNOWN " + new string('f', 107)),
        Encoding.ASCII.GetBytes("PROXY TCP4 10.1.2.3 10.0.0.1 50000 3128\n"),
        Encoding.ASCII.GetBytes("PROXY TCP4 10.1.2.3 10.0.0.1 50000 3128\rX"),
        Encoding.ASCII.GetBytes("PROXY TCP4\t10.1.2.3 10.0.0.1 50000 3128\r\n"),
        Encoding.ASCII.GetBytes("PROXY TCP4 10.1.2.3\0 10.0.0.1 50000 3128\r\n"),
        Encoding.ASCII.GetBytes("PROXY " + new string('x', 101)),
        Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n"),
        Encoding.ASCII.GetBytes("\r\n\r\nGET "),
        new byte[] { 0x16, 3, 1 },
        Binary(0x22, 0x11, s_tcp4),
        Binary(0x31, 0x11, s_tcp4),
        Binary(0x11, 0x11, s_tcp4),
        Binary(0x21, 0x12, s_tcp4),                                // UDP
        Binary(0x21, 0x31, new byte[216]),                         // AF_UNIX
        Binary(0x21, 0x41, s_tcp4),
        Binary(0x21, 0x11, s_tcp4[..11]),
        Binary(0x21, 0x21, s_tcp4),
        Binary(0x21, 0x11, [.. s_tcp4, 0x04]),                     // an extension that ends too early
        Binary(0x21, 0x11, [.. s_tcp4, 0x04, 0, 2, 9]),
        Binary(0x21, 0x11, [.. s_tcp4, 0x03, 0, 3, 1, 2, 3]),
        WithChecksum(1),
        (byte[])[.. s_signature, 0x21, 0x11, 0xFF, 0xFF, .. s_tcp4],       // 64 KiB of extensions
        (byte[])[.. s_signature, 0x20, 0x00, 0x10, 0x01],
    };

    [Theory]
    [MemberData(nameof(Right))]
    public void Read_Header_GivesTheClientWhateverFollows(byte[] header, string? expected)
    {
        foreach (byte[] bytes in (byte[][])[header, [.. header, .. "GET / HTTP/1.1\r\n\r\n"u8], [.. header, .. header]])
        {
            ProxyHeaderScan scan = ProxyHeader.Read(bytes, out int length, out IPEndPoint? client);

            Assert.Equal((ProxyHeaderScan.Whole, header.Length, expected), (scan, length, client?.ToString()));
        }
    }

    [Theory]
    [MemberData(nameof(Right))]
    public void Read_HeaderByteByByte_IsIncompleteUntilItsLast(byte[] header, string? expected)
    {
        for (int i = 0; i < header.Length; i++)
        {
            Assert.Equal(ProxyHeaderScan.Incomplete, ProxyHeader.Read(header.AsSpan(0, i), out _, out _));
            Assert.True(ProxyHeader.MayBegin(header.AsSpan(0, i)));
        }

        Assert.True(ProxyHeader.Begins(header));
        Assert.True(header.Length <= ProxyHeader.MaxBytes, expected);
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Read_SomethingElse_IsMalformed(byte[] bytes)
    {
        Assert.Equal(ProxyHeaderScan.Malformed, ProxyHeader.Read(bytes, out _, out IPEndPoint? client));
        Assert.Null(client);
    }

    /// <summary>
    /// Bytes near a header: what is said of a beginning holds when more comes, whole ends where it says, and nothing is too long to end.
    /// </summary>
    [Fact]
    public void Read_AnyBytes_SaysOfABeginningWhatItSaysOfTheWhole()
    {
        const int Seed = 20261128;
        var random = new Random(Seed);
        byte[][] models = [.. ((IEnumerable<object[]>)Right).Concat(Wrong).Select(row => (byte[])row[0])];
        for (int round = 0; round < 4000; round++)
        {
            byte[] bytes = [.. models[random.Next(models.Length)], .. new byte[random.Next(3)]];
            for (int change = random.Next(3); change > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            ProxyHeaderScan last = ProxyHeaderScan.Incomplete;
            int lastLength = 0;
            IPEndPoint? lastClient = null;
            for (int have = 0; have <= bytes.Length; have++)
            {
                ProxyHeaderScan scan = ProxyHeader.Read(bytes.AsSpan(0, have), out int length, out IPEndPoint? client);
                if (last != ProxyHeaderScan.Incomplete)
                {
                    Assert.Equal((last, lastClient), (scan, client));
                    Assert.True(scan != ProxyHeaderScan.Whole || length == lastLength);
                }

                Assert.True(scan != ProxyHeaderScan.Whole || (length <= have && length <= ProxyHeader.MaxBytes));
                (last, lastLength, lastClient) = (scan, length, client);
            }

            Assert.True(last != ProxyHeaderScan.Incomplete || bytes.Length < ProxyHeader.MaxBytes);
        }
    }

    private static byte[] Line(string text) => Encoding.ASCII.GetBytes(text + "\r\n");

    private static byte[] Binary(byte command, byte family, byte[] rest) =>
        [.. s_signature, command, family, (byte)(rest.Length >> 8), (byte)rest.Length, .. rest];

    /// <summary>With a checksum, by the bitwise definition of CRC-32C, that is wrong by <paramref name="error"/>.</summary>
    private static byte[] WithChecksum(uint error)
    {
        byte[] header = Binary(0x21, 0x11, [.. s_tcp4, 0x03, 0, 4, 0, 0, 0, 0, 0x04, 0, 1, 7]);
        uint sum = uint.MaxValue;
        foreach (byte b in header)
        {
            sum ^= b;
            for (int i = 0; i < 8; i++)
            {
                sum = (sum & 1) == 0 ? sum >> 1 : (sum >> 1) ^ 0x82F63B78;
            }
        }

        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(16 + 12 + 3), ~sum + error);
        return header;
    }
}
