using System.Security.Cryptography;
using System.Text;

namespace Breakwater.Proxy.Seeding.Format;

/// <summary>
/// The content of <c>index.sha256</c>: a line for <c>sha256sum -c</c>, then, as comments, a short sum of each line of the index, so that a
/// damaged field can be named. Both files are a stranger's when they are compared: a line at a time, whatever they hold.
/// </summary>
internal static class IndexChecksums
{
    private const int SumBytes = 8;
    private const int LineBytes = 2 + (SumBytes * 2) + 1;
    private const int MostOfALine = 120;    // of the index, to name a field

    /// <summary>Longest file for an index of that length, in whose lines 32 bytes are usual: there is room for lines of nine.</summary>
    public static int MaxBytes(int indexBytes) => 256 + (2 * indexBytes);

    /// <summary>The file for an index.</summary>
    public static byte[] Of(ReadOnlySpan<byte> index)
    {
        using var file = new MemoryStream();
        file.Write(Head(index));
        Span<byte> line = stackalloc byte[LineBytes];
        while (!index.IsEmpty)
        {
            Sum(Next(ref index), line);
            file.Write(line);
        }

        return file.ToArray();
    }

    /// <summary>Compares the two.</summary>
    /// <exception cref="SeedRefusedException">They do not fit; the message names field and offset.</exception>
    public static void Check(ReadOnlySpan<byte> index, long indexOffset, ReadOnlySpan<byte> checksums, long checksumsOffset)
    {
        byte[] head = Head(index);
        bool sumFits = checksums.StartsWith(head);
        long badAt = sumFits ? -1 : checksums.CommonPrefixLength(head);
        ReadOnlySpan<byte> left = checksums;
        Next(ref left);
        Span<byte> expected = stackalloc byte[LineBytes];
        long at = 0;
        for (int number = 1; !index.IsEmpty; number++)
        {
            int before = index.Length;
            ReadOnlySpan<byte> line = Next(ref index);
            Sum(line, expected);
            long statedAt = checksums.Length - left.Length;
            Next(ref left);
            ReadOnlySpan<byte> stated = checksums[(int)statedAt..^left.Length];
            if (!stated.SequenceEqual(expected))
            {
                if (!sumFits)
                {
                    throw new SeedRefusedException(
                        $"{SeedPath.Index}, line {number} ({FieldOf(line)})", indexOffset + at, "does not have its checksum");
                }

                badAt = badAt < 0 ? statedAt + stated.CommonPrefixLength(expected) : badAt;
            }

            at += before - index.Length;
        }

        if (badAt >= 0 || !left.IsEmpty)
        {
            throw new SeedRefusedException(
                SeedPath.Checksums, checksumsOffset + (badAt >= 0 ? badAt : checksums.Length - left.Length),
                "is not the checksum of " + SeedPath.Index);
        }
    }

    private static byte[] Head(ReadOnlySpan<byte> index) =>
        Encoding.ASCII.GetBytes($"{Convert.ToHexStringLower(SHA256.HashData(index))}  {SeedPath.Index}\n");

    /// <summary>Writes the line for one of the index.</summary>
    private static void Sum(ReadOnlySpan<byte> line, Span<byte> to)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(line, hash);
        "# "u8.CopyTo(to);
        Convert.TryToHexStringLower(hash[..SumBytes], to[2..], out _);
        to[LineBytes - 1] = (byte)'\n';
    }

    /// <summary>Takes a line off, and what ends it; gives it without.</summary>
    private static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> text)
    {
        int end = text.IndexOf((byte)'\n');
        ReadOnlySpan<byte> line = end < 0 ? text : text[..end];
        text = end < 0 ? default : text[(end + 1)..];
        return line;
    }

    private static string FieldOf(ReadOnlySpan<byte> line)
    {
        string text = Encoding.Latin1.GetString(line[..Math.Min(line.Length, MostOfALine)]).Trim();
        string name = text.Split(':')[0].Trim('"', ',', ' ');
        return name.Length is > 0 and <= 40 && name.All(c => c is >= ' ' and < (char)127) ? $"field {name}" : "no field";
    }
}
