using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;

namespace Breakwater.Repositories;

/// <summary>
/// Judges manifests and whitelists by the site's master keys: key, whitelist, certificate, manifest, revision. Pure: the same bytes at the
/// same time get the same verdict. Thread-safe.
/// </summary>
public sealed class RepositoryTrust
{
    private volatile MasterKeys _keys;

    /// <summary>Judges with these keys.</summary>
    public RepositoryTrust(MasterKeys keys) => _keys = keys;

    /// <summary>
    /// Other keys are in force. What was judged before says by which (<see cref="TrustVerdict.Keys"/>), and is judged again where it is
    /// used.
    /// </summary>
    public event Action? KeysChanged;

    /// <summary>The keys in force; may be replaced at any time.</summary>
    public MasterKeys Keys
    {
        get => _keys;
        set
        {
            _keys = value;
            KeysChanged?.Invoke();
        }
    }

    /// <summary>Is there a key for the repository, so that its documents are verified?</summary>
    public bool Verifies(Fqrn fqrn) => _keys.For(fqrn) is not null;

    /// <summary>Judges a fetched pair.</summary>
    /// <param name="fqrn">The repository asked for.</param>
    /// <param name="manifest">Bytes of <c>.cvmfspublished</c>.</param>
    /// <param name="whitelist">Bytes of <c>.cvmfswhitelist</c>; may be empty when no key is configured.</param>
    /// <param name="certificateWireBytes">The object that the manifest names under <c>X</c>, as on the wire; null when it is not at hand
    /// (the verdict is then <see cref="TrustReason.CertificateMissing"/> if everything before was good).</param>
    /// <param name="now">The time against which the whitelist's expiry is held; null: it may have expired.</param>
    /// <param name="highestRevision">The highest revision verified so far; null: no ratchet.</param>
    /// <param name="rollbackFloor">The lowest revision to which an operator allows the repository to go back; null: none.</param>
    public TrustVerdict JudgeManifest(
        Fqrn fqrn,
        ReadOnlyMemory<byte> manifest,
        ReadOnlyMemory<byte> whitelist,
        ReadOnlyMemory<byte>? certificateWireBytes,
        DateTimeOffset? now,
        ulong? highestRevision,
        ulong? rollbackFloor = null)
    {
        MasterKeys keys = _keys;
        TrustVerdict verdict =
            JudgeManifest(keys, fqrn, manifest, whitelist, certificateWireBytes, now, highestRevision, rollbackFloor);
        return verdict with { Keys = keys };
    }

    /// <summary>Judges a whitelist alone: name, master key's signature, expiry.</summary>
    /// <param name="fqrn">The repository asked for.</param>
    /// <param name="whitelist">Bytes of <c>.cvmfswhitelist</c>; may be empty when no key is configured.</param>
    /// <param name="now">The time against which its expiry is held; null: it may have expired.</param>
    public TrustVerdict JudgeWhitelist(Fqrn fqrn, ReadOnlyMemory<byte> whitelist, DateTimeOffset? now)
    {
        MasterKeys keys = _keys;
        return JudgeWhitelist(keys, fqrn, whitelist, now) with { Keys = keys };
    }

    private static TrustVerdict JudgeManifest(
        MasterKeys inForce,
        Fqrn fqrn,
        ReadOnlyMemory<byte> manifest,
        ReadOnlyMemory<byte> whitelist,
        ReadOnlyMemory<byte>? certificateWireBytes,
        DateTimeOffset? now,
        ulong? highestRevision,
        ulong? rollbackFloor)
    {
        if (!Manifest.Parse(manifest.Span).TryGet(out Manifest? parsed, out string? problem))
        {
            return Refuse(TrustReason.ManifestMalformed, problem);
        }

        if (!IsName(parsed.RepositoryName, fqrn))
        {
            return Refuse(TrustReason.WrongName, $"The manifest is that of '{parsed.RepositoryName}', not of '{fqrn}'.", parsed);
        }

        TrustVerdict onWhitelist = JudgeWhitelist(inForce, fqrn, whitelist, now);
        if (onWhitelist.Outcome != TrustOutcome.Accepted || onWhitelist.Whitelist is not { } listed)
        {
            return onWhitelist with { Manifest = parsed };
        }

        if (JudgeSignature(parsed, listed, certificateWireBytes) is { } refusal)
        {
            return refusal;
        }

        return RevisionRatchet.Decide(highestRevision, parsed.Revision, rollbackFloor) == RevisionStep.Back
            ? Refuse(TrustReason.RevisionWentBack, $"Revision {parsed.Revision} is older than {highestRevision}, already verified.", parsed,
            listed)
            : new TrustVerdict(TrustOutcome.Accepted, TrustReason.Verified, $"Revision {parsed.Revision} is verified.", parsed, listed);
    }

    private static TrustVerdict JudgeWhitelist(MasterKeys inForce, Fqrn fqrn, ReadOnlyMemory<byte> whitelist, DateTimeOffset? now)
    {
        IReadOnlyList<RsaSignature>? keys = inForce.For(fqrn);
        Parsed<Whitelist> parsed = Whitelist.Parse(whitelist.Span);
        if (keys is null && whitelist.IsEmpty)
        {
            return new TrustVerdict(TrustOutcome.Unverified, TrustReason.NoKey, $"No master key is configured for '{fqrn}'.");
        }

        if (!parsed.TryGet(out Whitelist? listed, out string? problem))
        {
            return Refuse(TrustReason.WhitelistMalformed, problem);
        }

        if (!IsName(listed.RepositoryName, fqrn))
        {
            return Refuse(TrustReason.WrongName, $"The whitelist is that of '{listed.RepositoryName}', not of '{fqrn}'.", null, listed);
        }

        if (keys is null)
        {
            return new TrustVerdict(TrustOutcome.Unverified, TrustReason.NoKey, $"No master key is configured for '{fqrn}'.", null, listed);
        }

        if (keys.Count == 0)
        {
            return Refuse(TrustReason.KeysUnreadable, $"None of the key files of '{fqrn}' is readable.", null, listed);
        }

        if (listed.WantsOtherVerification)
        {
            return Refuse(TrustReason.WhitelistWantsPkcs7, "The whitelist wants to be verified by PKCS#7 or a chain of certificates.", null,
                listed);
        }

        SignedText envelope = listed.Envelope;
        if (!keys.Any(key => key.SignsRaw(envelope.HashLine.Span, envelope.Signature.Span)))
        {
            return Refuse(TrustReason.WhitelistSignature, $"No master key of '{fqrn}' signed the whitelist.", null, listed);
        }

        return listed.ExpiresAt <= now
            ? Refuse(TrustReason.WhitelistExpired, $"The whitelist expired at {listed.ExpiresAt:u}; this machine's clock says {now:u}.",
            null, listed)
            : new TrustVerdict(TrustOutcome.Accepted, TrustReason.Verified, "The whitelist is verified.", null, listed);
    }

    private static TrustVerdict? JudgeSignature(Manifest manifest, Whitelist whitelist, ReadOnlyMemory<byte>? certificateWireBytes)
    {
        if (manifest.Certificate is not ObjectKey certificateKey)
        {
            return Refuse(TrustReason.CertificateMissing, "The manifest names no certificate.", manifest, whitelist);
        }

        if (certificateWireBytes is not { } wire)
        {
            return Refuse(TrustReason.CertificateMissing, $"The certificate {certificateKey} is not at hand.", manifest, whitelist);
        }

        if (!certificateKey.DigestEquals(ObjectHasher.Hash(certificateKey.Algorithm, wire.Span)))
        {
            return Refuse(TrustReason.CertificateHash, $"The certificate's bytes do not hash to {certificateKey}.", manifest, whitelist);
        }

        if (!Certificate.Parse(wire).TryGet(out Certificate? certificate, out string? problem))
        {
            return Refuse(TrustReason.CertificateMalformed, problem, manifest, whitelist);
        }

        if (!whitelist.Lists(certificate.Der.Span))
        {
            return Refuse(TrustReason.CertificateNotListed, $"The certificate {certificateKey} is not in the whitelist.", manifest,
                whitelist);
        }

        if (!certificate.ReadKey().TryGet(out RsaSignature? key, out problem))
        {
            return Refuse(TrustReason.CertificateMalformed, problem, manifest, whitelist);
        }

        SignedText envelope = manifest.Envelope;
        return key.SignsSha1(envelope.HashLine.Span, envelope.Signature.Span)
            ? null
            : Refuse(TrustReason.ManifestSignature, "The manifest is not signed by the certificate that it names.", manifest, whitelist);
    }

    private static bool IsName(string stated, Fqrn fqrn) => string.Equals(stated, fqrn.ToString(), StringComparison.OrdinalIgnoreCase);

    private static TrustVerdict Refuse(TrustReason reason, string explanation, Manifest? manifest = null, Whitelist? whitelist = null) =>
        new(TrustOutcome.Refused, reason, explanation, manifest, whitelist);
}
