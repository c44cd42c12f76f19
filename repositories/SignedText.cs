using System.Text;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;

namespace Breakwater.Repositories;

/// <summary>
/// The envelope of manifest and whitelist: text lines, <c>--</c>, a line with the hash of the text, a binary signature over that line.
/// The hash was checked when an instance exists; the signature was not.
/// </summary>
public sealed class SignedText
{
    private SignedText(string[] lines, byte[] hashLine, byte[] signature)
    {
        Lines = lines;
        HashLine = hashLine;
        Signature = signature;
    }

    /// <summary>The signed lines, without their line ends.</summary>
    public IReadOnlyList<string> Lines { get; }

    /// <summary>What the signature covers: 40 hex digits and the algorithm's suffix, as written, without the line end.</summary>
    public ReadOnlyMemory<byte> HashLine { get; }

    /// <summary>Everything behind the hash line.</summary>
    public ReadOnlyMemory<byte> Signature { get; }

    /// <summary>Takes the envelope apart and compares the hash.</summary>
    public static Parsed<SignedText> Parse(ReadOnlySpan<byte> bytes, int maxBytes)
    {
        if (bytes.Length > maxBytes)
        {
            return new Malformed($"It is {bytes.Length} bytes long; {maxBytes} are the most.");
        }

        int end = bytes.IndexOf("\n--\n"u8);
        if (end < 0)
        {
            return new Malformed("There is no line '--' between text and signature.");
        }

        ReadOnlySpan<byte> text = bytes[..(end + 1)];
        ReadOnlySpan<byte> rest = bytes[(end + 4)..];
        int lineEnd = rest.IndexOf((byte)'\n');
        if (lineEnd < 0)
        {
            return new Malformed("There is no hash line behind '--'.");
        }

        ReadOnlySpan<byte> hashLine = rest[..lineEnd];
        if (!ObjectKey.TryParse(hashLine, out ObjectKey hash) || hash.Kind != 0)
        {
            return new Malformed("The line behind '--' is not a hash.");
        }

        if (!hash.DigestEquals(ObjectHasher.Hash(hash.Algorithm, text)))
        {
            return new Malformed("The text does not have the hash that it states.");
        }

        string[] lines = Encoding.Latin1.GetString(text[..^1]).Split('\n');
        return new SignedText(lines, hashLine.ToArray(), rest[(lineEnd + 1)..].ToArray());
    }
}
