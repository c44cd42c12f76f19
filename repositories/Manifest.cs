using System.Globalization;
using Breakwater.CacheStore;

namespace Breakwater.Repositories;

/// <summary>
/// A repository's <c>.cvmfspublished</c>: which revision is current and where its root catalog is. Its text has the stated hash when an
/// instance exists; whether the signature is good says <see cref="RepositoryTrust"/>.
/// </summary>
/// <remarks>
/// Format: <c>manifest.cc</c> of CernVM-FS; lines of one letter and a value. Unknown letters are kept out of sight, they are inside the
/// hash.
/// </remarks>
public sealed class Manifest
{
    /// <summary>A manifest has about 600 bytes; more than this is refused.</summary>
    public const int MaxBytes = 64 * 1024;

    internal const string EmptyPathMd5 = "d41d8cd98f00b204e9800998ecf8427e";

    private Manifest(SignedText envelope) => Envelope = envelope;

    /// <summary>Text, hash line and signature.</summary>
    public SignedText Envelope { get; }

    /// <summary>Name of the repository (<c>N</c>).</summary>
    public required string RepositoryName { get; init; }

    /// <summary>Revision (<c>S</c>); grows with every publish.</summary>
    public required ulong Revision { get; init; }

    /// <summary>Root catalog (<c>C</c>), kind <c>C</c>.</summary>
    public required ObjectKey RootCatalog { get; init; }

    /// <summary>How long a client may use it before it asks again (<c>D</c>).</summary>
    public required TimeSpan Ttl { get; init; }

    /// <summary>Certificate that signed the manifest (<c>X</c>), kind <c>X</c>.</summary>
    public ObjectKey? Certificate { get; init; }

    /// <summary>Database of tags (<c>H</c>), kind <c>H</c>.</summary>
    public ObjectKey? History { get; init; }

    /// <summary>Description of the repository (<c>M</c>), kind <c>M</c>.</summary>
    public ObjectKey? Metainfo { get; init; }

    /// <summary>Time of publication (<c>T</c>).</summary>
    public DateTimeOffset? PublishedAt { get; init; }

    /// <summary>The root catalog is also found as <c>.cvmfsalt-&lt;hash&gt;C</c> (<c>A</c>).</summary>
    public bool HasAlternativeCatalogPath { get; init; }

    /// <summary>Old revisions may be collected (<c>G</c>).</summary>
    public bool IsGarbageCollectable { get; init; }

    /// <summary>
    /// Does it name the very objects that the other names? A tag that is moved alone changes the history and neither revision nor root
    /// catalog.
    /// </summary>
    public bool NamesWhat(Manifest other) =>
        RootCatalog == other.RootCatalog && History == other.History && Certificate == other.Certificate && Metainfo == other.Metainfo;

    /// <summary>Reads the bytes of <c>.cvmfspublished</c>.</summary>
    public static Parsed<Manifest> Parse(ReadOnlySpan<byte> bytes)
    {
        if (!SignedText.Parse(bytes, MaxBytes).TryGet(out SignedText? envelope, out string? problem))
        {
            return new Malformed($"Manifest: {problem}");
        }

        Dictionary<char, string> fields = [];
        foreach (string line in envelope.Lines)
        {
            if (line.Length > 0)
            {
                fields[line[0]] = line[1..];
            }
        }

        if (!fields.TryGetValue('N', out string? name) || name.Length == 0)
        {
            return new Malformed("Manifest: the repository's name (N) is missing.");
        }

        if (!fields.TryGetValue('C', out string? rootText) || !TryKey(rootText, 'C', out ObjectKey root))
        {
            return new Malformed("Manifest: the root catalog (C) is missing or is not a hash.");
        }

        if (!TryNumber(fields, 'S', out ulong revision))
        {
            return new Malformed("Manifest: the revision (S) is missing or is not a number.");
        }

        if (!TryNumber(fields, 'D', out ulong ttlSeconds) || ttlSeconds > 10UL * 365 * 24 * 3600)
        {
            return new Malformed("Manifest: the time to live (D) is missing or is not a number of seconds.");
        }

        if (!fields.TryGetValue('R', out string? rootPath) || rootPath != EmptyPathMd5)
        {
            return new Malformed("Manifest: the root path (R) is missing or is not that of a whole repository.");
        }

        if (!TryOptionalKey(fields, 'X', out ObjectKey? certificate)
            || !TryOptionalKey(fields, 'H', out ObjectKey? history)
            || !TryOptionalKey(fields, 'M', out ObjectKey? metainfo))
        {
            return new Malformed("Manifest: the certificate (X), history (H) or metainfo (M) is not a hash.");
        }

        DateTimeOffset? publishedAt = TryNumber(fields, 'T', out ulong seconds) && seconds <= int.MaxValue * 4L
            ? DateTimeOffset.FromUnixTimeSeconds((long)seconds)
            : null;
        return new Manifest(envelope)
        {
            RepositoryName = name,
            Revision = revision,
            RootCatalog = root,
            Ttl = TimeSpan.FromSeconds(ttlSeconds),
            Certificate = certificate,
            History = history,
            Metainfo = metainfo,
            PublishedAt = publishedAt,
            HasAlternativeCatalogPath = fields.GetValueOrDefault('A') == "yes",
            IsGarbageCollectable = fields.GetValueOrDefault('G') == "yes",
        };
    }

    /// <summary>A hash as the formats write it, without the kind letter that the place implies.</summary>
    public static bool TryKey(string text, char kind, out ObjectKey key)
    {
        key = default;
        return text.Length < ObjectKey.MaxTextLength && !text.EndsWith(kind) && ObjectKey.TryParse(text + kind, out key);
    }

    private static bool TryOptionalKey(Dictionary<char, string> fields, char letter, out ObjectKey? key)
    {
        key = null;
        if (!fields.TryGetValue(letter, out string? text))
        {
            return true;
        }

        bool isKey = TryKey(text, letter, out ObjectKey parsed);
        key = parsed;
        return isKey;
    }

    private static bool TryNumber(Dictionary<char, string> fields, char letter, out ulong number)
    {
        number = 0;
        return fields.TryGetValue(letter, out string? text)
            && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
