using System.Globalization;
using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;

namespace Breakwater.Repositories;

/// <summary>
/// A repository's <c>.cvmfswhitelist</c>: which certificates may sign its manifest, and until when. Its text has the stated hash when an
/// instance exists; whether the signature is good says <see cref="RepositoryTrust"/>.
/// </summary>
public sealed class Whitelist
{
    /// <summary>A whitelist has a few hundred bytes, with many certificates a few thousand; more than this is refused.</summary>
    public const int MaxBytes = 256 * 1024;

    private readonly List<ObjectKey> _fingerprints;

    private Whitelist(SignedText envelope, List<ObjectKey> fingerprints)
    {
        Envelope = envelope;
        _fingerprints = fingerprints;
    }

    /// <summary>Text, hash line and signature.</summary>
    public SignedText Envelope { get; }

    /// <summary>Name of the repository (<c>N</c>).</summary>
    public required string RepositoryName { get; init; }

    /// <summary>When it was made, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Until when it is valid, UTC (<c>E</c>).</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>
    /// It wants to be verified by its PKCS#7 twin or a chain of certificates (<c>Vpkcs7</c>, <c>W…</c>) rather than by a master key.
    /// </summary>
    public bool WantsOtherVerification { get; init; }

    /// <summary>Reads the bytes of <c>.cvmfswhitelist</c>.</summary>
    public static Parsed<Whitelist> Parse(ReadOnlySpan<byte> bytes)
    {
        if (!SignedText.Parse(bytes, MaxBytes).TryGet(out SignedText? envelope, out string? problem))
        {
            return new Malformed($"Whitelist: {problem}");
        }

        IReadOnlyList<string> lines = envelope.Lines;
        if (lines.Count < 3 || !TryTime(lines[0], out DateTimeOffset createdAt))
        {
            return new Malformed("Whitelist: the first line is not the time of its making (YYYYMMDDhhmmss).");
        }

        if (lines[1].Length == 0 || lines[1][0] != 'E' || !TryTime(lines[1].AsSpan(1), out DateTimeOffset expiresAt))
        {
            return new Malformed("Whitelist: the second line is not the expiry (EYYYYMMDDhhmmss).");
        }

        if (lines[2].Length < 2 || lines[2][0] != 'N')
        {
            return new Malformed("Whitelist: the third line is not the repository's name (N…).");
        }

        List<ObjectKey> fingerprints = [];
        bool wantsOther = false;
        foreach (string line in lines.Skip(3))
        {
            if (line.StartsWith('V') || line.StartsWith('W'))
            {
                wantsOther = true;
            }
            else if (TryFingerprint(line, out ObjectKey fingerprint))
            {
                fingerprints.Add(fingerprint);
            }
        }

        return new Whitelist(envelope, fingerprints)
        {
            RepositoryName = lines[2][1..],
            CreatedAt = createdAt,
            ExpiresAt = expiresAt,
            WantsOtherVerification = wantsOther,
        };
    }

    /// <summary>Is the certificate with this DER form listed?</summary>
    public bool Lists(ReadOnlySpan<byte> certificateDer)
    {
        foreach (ObjectKey fingerprint in _fingerprints)
        {
            if (fingerprint.DigestEquals(ObjectHasher.Hash(fingerprint.Algorithm, certificateDer)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// <c>8F:1D:…:02</c>, with <c>-RMD160</c> or <c>-SHAKE128</c> where it applies; what follows a blank or <c>#</c> is a remark.
    /// </summary>
    private static bool TryFingerprint(string line, out ObjectKey fingerprint)
    {
        int end = line.AsSpan().IndexOfAny(' ', '\t', '#');
        string hash = (end < 0 ? line : line[..end]).Replace(":", "", StringComparison.Ordinal);
#pragma warning disable CA1308 // The text form of a digest is lower case.
        return ObjectKey.TryParse(hash.ToLowerInvariant(), out fingerprint) && fingerprint.Kind == 0;
#pragma warning restore CA1308
    }

    private static bool TryTime(ReadOnlySpan<char> text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(
            text,
            "yyyyMMddHHmmss",
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out time);
}
