using System.Globalization;
using System.Text;
using Breakwater.CacheStore;

namespace Breakwater.Repositories.Writing;

/// <summary>A manifest that is to be signed. <see cref="Manifest"/> reads what it makes.</summary>
/// <remarks>
/// The revision must be above that of every manifest published before, and the time not before its time: clients stay on the old state
/// silently where either goes back.
/// </remarks>
public sealed record ManifestDraft
{
    /// <summary>Name of the repository (<c>N</c>).</summary>
    public required string RepositoryName { get; init; }

    /// <summary>Revision (<c>S</c>).</summary>
    public required ulong Revision { get; init; }

    /// <summary>Root catalog (<c>C</c>).</summary>
    public required ObjectKey RootCatalog { get; init; }

    /// <summary>Length of the root catalog once inflated (<c>B</c>).</summary>
    public required long RootCatalogBytes { get; init; }

    /// <summary>How long a client uses it before it asks again (<c>D</c>), whole seconds.</summary>
    public required TimeSpan Ttl { get; init; }

    /// <summary>Certificate whose key signs (<c>X</c>).</summary>
    public required ObjectKey Certificate { get; init; }

    /// <summary>Database of tags (<c>H</c>).</summary>
    public required ObjectKey History { get; init; }

    /// <summary>Description of the repository (<c>M</c>); null: none.</summary>
    public ObjectKey? Metainfo { get; init; }

    /// <summary>SHA-1 of the reflog in hex (<c>Y</c>); null: there is none.</summary>
    public string? ReflogSha1 { get; init; }

    /// <summary>Time of publication (<c>T</c>).</summary>
    public required DateTimeOffset PublishedAt { get; init; }

    /// <summary>The bytes of <c>.cvmfspublished</c>, in the order in which the usual server writes its lines.</summary>
    public byte[] Sign(RsaSigner certificateKey)
    {
        var text = new StringBuilder();
        void Line(char letter, string value) => text.Append(letter).Append(value).Append('\n');
        Line('C', Hex(RootCatalog));
        Line('B', RootCatalogBytes.ToString(CultureInfo.InvariantCulture));
        Line('R', Manifest.EmptyPathMd5);
        Line('D', ((long)Ttl.TotalSeconds).ToString(CultureInfo.InvariantCulture));
        Line('S', Revision.ToString(CultureInfo.InvariantCulture));
        Line('G', "yes");
        Line('A', "no");
        Line('N', RepositoryName);
        Line('X', Hex(Certificate));
        Line('H', Hex(History));
        Line('T', PublishedAt.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        if (Metainfo is { } metainfo)
        {
            Line('M', Hex(metainfo));
        }

        if (ReflogSha1 is { } reflog)
        {
            Line('Y', reflog);
        }

        return SignedTextWriter.Seal(text.ToString(), hashLine => certificateKey.SignSha1(hashLine));
    }

    /// <summary>A hash as the formats write it: without the letter of its kind.</summary>
    internal static string Hex(in ObjectKey key) => key.ToString()[..(2 * ObjectKey.DigestSizeBytes)];
}
