using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Breakwater.CacheStore;

/// <summary>
/// The identity of an object: the digest of its bytes as they are on the wire, the algorithm of that digest, and the kind letter
/// that CernVM-FS appends (0 for a plain file, else one of <c>C P H X M L T</c>). The same key is the same bytes in every
/// repository and on every server.
/// </summary>
/// <remarks>24 bytes, blittable. Text form: 40 lower-case hex digits, algorithm tag, kind letter, e.g. <c>8d98…3cH</c>.</remarks>
[StructLayout(LayoutKind.Sequential, Size = 24)]
public readonly struct ObjectKey : IEquatable<ObjectKey>
{
    /// <summary>Length of every digest in bytes.</summary>
    public const int DigestSizeBytes = 20;

    /// <summary>Length of the longest text form: 40 hex digits, <c>-shake128</c>, one kind letter.</summary>
    public const int MaxTextLength = 50;

    // A client may ask for any digest: secret odd multipliers keep it from choosing keys that meet in one chain of a table.
    private static readonly ulong s_multiplierA = Multiplier();
    private static readonly ulong s_multiplierB = Multiplier();
    private static readonly ulong s_multiplierC = Multiplier();

    private readonly ulong _a;
    private readonly ulong _b;
    private readonly uint _c;
    private readonly DigestAlgorithm _algorithm;
    private readonly ObjectKind _kind;

    /// <summary>Makes a key from its parts.</summary>
    /// <param name="digest">Exactly 20 bytes.</param>
    /// <param name="algorithm">The algorithm that made the digest.</param>
    /// <param name="kind">What it is for.</param>
    /// <exception cref="ArgumentException">The digest is not 20 bytes long, or the kind is unknown.</exception>
    public ObjectKey(ReadOnlySpan<byte> digest, DigestAlgorithm algorithm, ObjectKind kind)
    {
        if (digest.Length != DigestSizeBytes)
        {
            throw new ArgumentException("A digest has 20 bytes.", nameof(digest));
        }

        if (kind != ObjectKind.Plain && !IsKindLetter((byte)kind))
        {
            throw new ArgumentException("Unknown kind of object.", nameof(kind));
        }

        _a = BinaryPrimitives.ReadUInt64LittleEndian(digest);
        _b = BinaryPrimitives.ReadUInt64LittleEndian(digest[8..]);
        _c = BinaryPrimitives.ReadUInt32LittleEndian(digest[16..]);
        _algorithm = algorithm;
        _kind = kind;
    }

    /// <summary>The algorithm that made the digest.</summary>
    public DigestAlgorithm Algorithm => _algorithm;

    /// <summary>What it is for.</summary>
    public ObjectKind Kind => _kind;

    /// <summary>Is this one of the kind letters of CernVM-FS?</summary>
    public static bool IsKindLetter(byte letter) =>
        letter is (byte)'C' or (byte)'P' or (byte)'H' or (byte)'X' or (byte)'M' or (byte)'L' or (byte)'T';

    /// <summary>Copies the 20 digest bytes to <paramref name="destination"/>.</summary>
    public void CopyDigestTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(destination, _a);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[16..], _c);
    }

    /// <summary>Are these the digest bytes of this key?</summary>
    public bool DigestEquals(ReadOnlySpan<byte> digest)
    {
        Span<byte> mine = stackalloc byte[DigestSizeBytes];
        CopyDigestTo(mine);
        return digest.SequenceEqual(mine);
    }

    /// <summary>
    /// Parses the strict text form: 40 lower-case hex digits, <c>-rmd160</c> or <c>-shake128</c> or nothing, a kind letter or nothing.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ObjectKey key)
    {
        key = default;
        if (text.Length < 40)
        {
            return false;
        }

        // Both at once for all digits; the conversion takes capitals, too.
        Span<byte> digest = stackalloc byte[DigestSizeBytes];
        if (text[..40].ContainsAnyInRange((byte)'A', (byte)'F')
            || Convert.FromHexString(text[..40], digest, out _, out _) != OperationStatus.Done)
        {
            return false;
        }

        ReadOnlySpan<byte> rest = text[40..];
        DigestAlgorithm algorithm = DigestAlgorithm.Sha1;
        if (rest.StartsWith("-rmd160"u8))
        {
            algorithm = DigestAlgorithm.RipeMd160;
            rest = rest[7..];
        }
        else if (rest.StartsWith("-shake128"u8))
        {
            algorithm = DigestAlgorithm.Shake128;
            rest = rest[9..];
        }

        ObjectKind kind = ObjectKind.Plain;
        if (rest.Length == 1 && IsKindLetter(rest[0]))
        {
            kind = (ObjectKind)rest[0];
        }
        else if (rest.Length != 0)
        {
            return false;
        }

        key = new ObjectKey(digest, algorithm, kind);
        return true;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{byte}, out ObjectKey)"/>
    public static bool TryParse(ReadOnlySpan<char> text, out ObjectKey key)
    {
        key = default;
        if (text.Length is < 40 or > MaxTextLength)
        {
            return false;
        }

        Span<byte> ascii = stackalloc byte[MaxTextLength];
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] > 127)
            {
                return false;
            }

            ascii[i] = (byte)text[i];
        }

        return TryParse(ascii[..text.Length], out key);
    }

    /// <summary>Parses the text form.</summary>
    /// <exception cref="FormatException">It is not the text form of a key.</exception>
    public static ObjectKey Parse(string text) =>
        TryParse(text.AsSpan(), out ObjectKey key) ? key : throw new FormatException($"Not an object key: '{text}'.");

    /// <summary>The path of the object below a repository's root: <c>data/ea/fdf6…C</c>.</summary>
    public string ToPath()
    {
        string text = ToString();
        return string.Concat("data/", text.AsSpan(0, 2), "/", text.AsSpan(2));
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        Span<byte> digest = stackalloc byte[DigestSizeBytes];
        CopyDigestTo(digest);
        string tag = _algorithm switch
        {
            DigestAlgorithm.RipeMd160 => "-rmd160",
            DigestAlgorithm.Shake128 => "-shake128",
            DigestAlgorithm.Named => "-named",
            _ => "",
        };
        return Convert.ToHexStringLower(digest) + tag + (_kind == ObjectKind.Plain ? "" : ((char)_kind).ToString());
    }

    /// <inheritdoc/>
    public bool Equals(ObjectKey other) =>
        _a == other._a && _b == other._b && _c == other._c && _algorithm == other._algorithm && _kind == other._kind;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is ObjectKey other && Equals(other);

    /// <summary>Of the whole digest, another one in each process.</summary>
    public override int GetHashCode() => (int)(((_a * s_multiplierA) + (_b * s_multiplierB) + (_c * s_multiplierC)) >> 32);

    /// <summary>64 uniform bits of the digest, for tables that want more than 32.</summary>
    public long GetHashCode64() => (long)_a;

    /// <summary>Same key?</summary>
    public static bool operator ==(ObjectKey left, ObjectKey right) => left.Equals(right);

    /// <summary>Different keys?</summary>
    public static bool operator !=(ObjectKey left, ObjectKey right) => !left.Equals(right);

    /// <summary>Unpredictable, so that nobody can choose keys that collide. From a Guid: the boot image has no OpenSSL.</summary>
    private static ulong Multiplier()
    {
        Span<byte> random = stackalloc byte[16];
        Guid.NewGuid().TryWriteBytes(random);
        return (BinaryPrimitives.ReadUInt64LittleEndian(random) ^ BinaryPrimitives.ReadUInt64LittleEndian(random[8..])) | 1;
    }
}
