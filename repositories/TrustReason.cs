namespace Breakwater.Repositories;

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

    /// <summary>
    /// The manifest names no certificate, or its bytes were not handed in: fetch <see cref="Manifest.Certificate"/> and judge again.
    /// </summary>
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
