namespace Breakwater.Repositories;

/// <summary>What to do with a fetched pair of manifest and whitelist.</summary>
public enum TrustOutcome
{
    /// <summary>Verified end to end: switch to it.</summary>
    Accepted,

    /// <summary>No key is configured; it is well-formed: pass it on, marked <c>unverified</c>, without a ratchet.</summary>
    Unverified,

    /// <summary>Keep the last good pair.</summary>
    Refused,
}

/// <summary>Why a pair was judged as it was; the name goes to logs, metrics and the admin API.</summary>
public enum TrustReason
{
    /// <summary>Every link of the chain holds.</summary>
    Verified,

    /// <summary>No master key is configured for the repository.</summary>
    NoKey,

    /// <summary>Key files are configured and none is readable.</summary>
    KeysUnreadable,

    /// <summary>The manifest cannot be parsed, or does not have its own hash.</summary>
    ManifestMalformed,

    /// <summary>The whitelist cannot be parsed, or does not have its own hash.</summary>
    WhitelistMalformed,

    /// <summary>Manifest or whitelist belongs to another repository.</summary>
    WrongName,

    /// <summary>The whitelist is not signed by any of the repository's master keys.</summary>
    WhitelistSignature,

    /// <summary>The whitelist wants to be verified by PKCS#7, which is not supported.</summary>
    WhitelistWantsPkcs7,

    /// <summary>The whitelist has expired.</summary>
    WhitelistExpired,

    /// <summary>The manifest names no certificate, or its bytes were not handed in: fetch <see cref="Manifest.Certificate"/> and judge again.</summary>
    CertificateMissing,

    /// <summary>The certificate's bytes do not have the hash that the manifest names.</summary>
    CertificateHash,

    /// <summary>The certificate cannot be parsed.</summary>
    CertificateMalformed,

    /// <summary>The certificate is not in the whitelist.</summary>
    CertificateNotListed,

    /// <summary>The manifest is not signed by the certificate.</summary>
    ManifestSignature,

    /// <summary>All is well signed, but the revision is lower than one already verified.</summary>
    RevisionWentBack,
}

/// <summary>The judgement on one pair of manifest and whitelist.</summary>
/// <param name="Outcome">What to do.</param>
/// <param name="Reason">Why, as a name.</param>
/// <param name="Explanation">Why, as a sentence for people.</param>
/// <param name="Manifest">The manifest if it could be parsed. Believe it only when it was accepted.</param>
/// <param name="Whitelist">The whitelist if it could be parsed. Believe it only when it was accepted.</param>
public sealed record TrustVerdict(
    TrustOutcome Outcome,
    TrustReason Reason,
    string Explanation,
    Manifest? Manifest = null,
    Whitelist? Whitelist = null)
{
    /// <summary>The keys by which it was judged; null: those that a seed brought. It holds as long as they are in force.</summary>
    public MasterKeys? Keys { get; init; }

    /// <summary>How long before the whitelist's end a warning is due.</summary>
    public static readonly TimeSpan ExpiryWarning = TimeSpan.FromDays(7);

    /// <summary>Is the whitelist so near its end that an operator should know?</summary>
    public bool WhitelistExpiresSoon(DateTimeOffset now) => Whitelist is { } whitelist && whitelist.ExpiresAt - now <= ExpiryWarning;
}
