using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Numerics;
using System.Text;

namespace Breakwater.Proxy.Access;

/// <summary>
/// The header of the PROXY protocol, versions 1 and 2, by which a balancer says whose connection it passes on
/// (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt). Strict: what could be read in two ways is refused. Pure.
/// </summary>
internal static class ProxyHeader
{
    /// <summary>The longest header that is read; balancers send a few hundred bytes.</summary>
    public const int MaxBytes = Version2FixedBytes + MaxVersion2Bytes;

    /// <summary>The longest line of version 1 with its CRLF (2.1).</summary>
    private const int MaxVersion1Bytes = 107;

    private const int Version2FixedBytes = 16;
    private const int MaxVersion2Bytes = 4096;
    private const int ChecksumType = 3;
    private const int ChecksumBytes = 4;

    private static ReadOnlySpan<byte> Version1 => "PROXY "u8;

    private static ReadOnlySpan<byte> Version2 => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <summary>Do these bytes begin as a header does, and as no request?</summary>
    public static bool Begins(ReadOnlySpan<byte> bytes) => bytes.StartsWith(Version1) || bytes.StartsWith(Version2);

    /// <summary>May these bytes, with what follows them, <see cref="Begins">begin</see> so?</summary>
    public static bool MayBegin(ReadOnlySpan<byte> bytes) =>
        Begins(bytes) || Version1.StartsWith(bytes) || Version2.StartsWith(bytes);

    /// <summary>Reads the header at the beginning of a connection.</summary>
    /// <param name="bytes">What has come so far.</param>
    /// <param name="length">Its length, of a whole one.</param>
    /// <param name="client">
    /// The client that it names, of a whole one; null: the balancer speaks for itself (LOCAL, its health check) or does not know
    /// (UNKNOWN, UNSPEC).
    /// </param>
    public static ProxyHeaderScan Read(ReadOnlySpan<byte> bytes, out int length, out IPEndPoint? client)
    {
        length = 0;
        client = null;
        return !MayBegin(bytes) ? ProxyHeaderScan.Malformed
            : !Begins(bytes) ? ProxyHeaderScan.Incomplete
            : bytes[0] == Version1[0] ? ReadLine(bytes, out length, out client)
            : ReadBinary(bytes, out length, out client);
    }

    private static ProxyHeaderScan ReadLine(ReadOnlySpan<byte> bytes, out int length, out IPEndPoint? client)
    {
        length = 0;
        client = null;
        ReadOnlySpan<byte> most = bytes[..Math.Min(bytes.Length, MaxVersion1Bytes)];
        int end = most.IndexOfAnyExceptInRange((byte)' ', (byte)'~');
        if (end < 0 || (end == most.Length - 1 && most[end] == '\r'))
        {
            return most.Length < MaxVersion1Bytes ? ProxyHeaderScan.Incomplete : ProxyHeaderScan.Malformed;
        }

        if (!most[end..].StartsWith("\r\n"u8))
        {
            return ProxyHeaderScan.Malformed;
        }

        length = end + 2;
        string[] words = Encoding.ASCII.GetString(most[..end]).Split(' ');
        if (words[1] == "UNKNOWN")
        {
            return ProxyHeaderScan.Whole; // what follows says nothing (2.1)
        }

        AddressFamily? family = words[1] switch
        {
            "TCP4" => AddressFamily.InterNetwork,
            "TCP6" => AddressFamily.InterNetworkV6,
            _ => null,
        };
        if (words.Length != 6 || family is null
            || !IsAddress(words[2], family, out IPAddress source) || !IsAddress(words[3], family, out _)
            || !IsPort(words[4], out int port) || !IsPort(words[5], out _))
        {
            return ProxyHeaderScan.Malformed;
        }

        client = new IPEndPoint(source, port);
        return ProxyHeaderScan.Whole;
    }

    /// <summary>IPv4 as it is printed; IPv6 in any of its forms, without a zone.</summary>
    private static bool IsAddress(string text, AddressFamily? family, out IPAddress address)
    {
        bool isRight = IPAddress.TryParse(text, out IPAddress? parsed) && parsed.AddressFamily == family
            && (family == AddressFamily.InterNetwork
            ? parsed.ToString() == text
            : text.All(c => char.IsAsciiHexDigit(c) || c is ':' or '.'));
        address = isRight ? Plain(parsed!) : IPAddress.None;
        return isRight;
    }

    private static bool IsPort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= IPEndPoint.MaxPort
        && (text[0] != '0' || text.Length == 1);

    private static ProxyHeaderScan ReadBinary(ReadOnlySpan<byte> bytes, out int length, out IPEndPoint? client)
    {
        const byte Local = 0x20;
        const byte Proxied = 0x21;
        length = 0;
        client = null;
        if (bytes.Length > 12 && bytes[12] is not (Local or Proxied))
        {
            return ProxyHeaderScan.Malformed;
        }

        if (bytes.Length < Version2FixedBytes)
        {
            return ProxyHeaderScan.Incomplete;
        }

        // Families: not known, TCP on IPv4, TCP on IPv6. A client on UDP or a Unix socket is none of ours.
        int addressBytes = (bytes[12], bytes[13]) switch
        {
            (Local, _) or (_, 0x00) => 0,
            (_, 0x11) => 4,
            (_, 0x21) => 16,
            _ => -1,
        };
        int rest = BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        int endPointsBytes = addressBytes == 0 ? 0 : 2 * (addressBytes + 2);
        if (addressBytes < 0 || rest < endPointsBytes || rest > MaxVersion2Bytes)
        {
            return ProxyHeaderScan.Malformed;
        }

        length = Version2FixedBytes + rest;
        if (bytes.Length < length)
        {
            return ProxyHeaderScan.Incomplete;
        }

        if (addressBytes == 0)
        {
            return ProxyHeaderScan.Whole; // what follows says nothing (2.2)
        }

        if (!AreExtensionsRight(bytes[..length], Version2FixedBytes + endPointsBytes))
        {
            return ProxyHeaderScan.Malformed;
        }

        int ports = Version2FixedBytes + (2 * addressBytes);
        var source = new IPAddress(bytes.Slice(Version2FixedBytes, addressBytes));
        client = new IPEndPoint(Plain(source), BinaryPrimitives.ReadUInt16BigEndian(bytes[ports..]));
        return ProxyHeaderScan.Whole;
    }

    /// <summary>
    /// Do the extensions (2.2: type, length, value) end where the header does, and is the checksum right, where there is one?
    /// </summary>
    private static bool AreExtensionsRight(ReadOnlySpan<byte> header, int at)
    {
        while (at < header.Length)
        {
            if (header.Length - at < 3)
            {
                return false;
            }

            int valueAt = at + 3;
            int length = BinaryPrimitives.ReadUInt16BigEndian(header[(at + 1)..]);
            if (header.Length - valueAt < length
                || (header[at] == ChecksumType && (length != ChecksumBytes || !IsChecksumRight(header, valueAt))))
            {
                return false;
            }

            at = valueAt + length;
        }

        return true;
    }

    /// <summary>CRC-32C of the header, in which the checksum itself counts as zeros.</summary>
    private static bool IsChecksumRight(ReadOnlySpan<byte> header, int checksumAt)
    {
        uint sum = uint.MaxValue;
        for (int i = 0; i < header.Length; i++)
        {
            sum = BitOperations.Crc32C(sum, i >= checksumAt && i < checksumAt + ChecksumBytes ? (byte)0 : header[i]);
        }

        return ~sum == BinaryPrimitives.ReadUInt32BigEndian(header[checksumAt..]);
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
