using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Breakwater.Repositories.Writing;

/// <summary>A whitelist that is to be signed. <see cref="Whitelist"/> reads what it makes.</summary>
public sealed record WhitelistDraft
{
    /// <summary>Name of the repository (<c>N</c>).</summary>
    public required string RepositoryName { get; init; }

    /// <summary>When it is made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Until when it is valid (<c>E</c>). Clients compare whole hours.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>DER forms of the certificates that may sign manifests; two while a key is replaced.</summary>
    public required IReadOnlyList<ReadOnlyMemory<byte>> Certificates { get; init; }

    /// <summary>The bytes of <c>.cvmfswhitelist</c>.</summary>
    public byte[] Sign(RsaSigner masterKey)
    {
        var text = new StringBuilder();
        text.Append(Time(CreatedAt)).Append("\nE").Append(Time(ExpiresAt)).Append("\nN").Append(RepositoryName).Append('\n');
        foreach (ReadOnlyMemory<byte> certificate in Certificates)
        {
            text.Append(FingerprintOf(certificate.Span)).Append('\n');
        }

        return SignedTextWriter.Seal(text.ToString(), hashLine => masterKey.SignRaw(hashLine));
    }

    /// <summary>SHA-1 of the DER form: pairs of upper-case hex digits with colons.</summary>
    public static string FingerprintOf(ReadOnlySpan<byte> certificateDer)
    {
#pragma warning disable CA5350 // The format's fingerprint.
        byte[] digest = SHA1.HashData(certificateDer);
#pragma warning restore CA5350
        return string.Join(':', digest.Select(part => part.ToString("X2", CultureInfo.InvariantCulture)));
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture);
}
