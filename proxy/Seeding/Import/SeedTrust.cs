using Breakwater.CacheStore;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Seeding.Import;

/// <summary>
/// Judges the repositories of a bundle: by this site's master key where it has one, else by the key in the bundle, which proves that the
/// parts belong together but not who made them. Pure.
/// </summary>
internal sealed class SeedTrust(RepositoryTrust site, TimeProvider time)
{
    /// <summary>Has this site a master key of it? Else bundles prove only that their parts belong together.</summary>
    public bool HasKeyOf(Fqrn fqrn) => site.Verifies(fqrn);

    /// <summary>Judges one repository.</summary>
    /// <param name="fqrn">Its name.</param>
    /// <param name="documents">Documents of the bundle by the names of their entries.</param>
    /// <param name="certificate">Wire bytes of an object; null when it is not at hand.</param>
    /// <exception cref="SeedRefusedException">The chain does not hold.</exception>
    public SeedTrustVerdict Judge(string fqrn, IReadOnlyDictionary<string, byte[]> documents, Func<ObjectKey, byte[]?> certificate)
    {
        byte[] manifest = Document(documents, SeedPath.OfDocument(fqrn, SeedPath.Manifest));
        byte[] whitelist = Document(documents, SeedPath.OfDocument(fqrn, SeedPath.Whitelist));
        Fqrn repository = Fqrn.Parse(fqrn);
        bool hasSiteKey = HasKeyOf(repository);
        RepositoryTrust trust = hasSiteKey ? site : new RepositoryTrust(BundledKey(repository, documents));
        byte[]? wire = Manifest.Parse(manifest).Value?.Certificate is ObjectKey key ? certificate(key) : null;

        // A bundle years old is still what it was: expiry decides about first boots, not about the chain.
        ReadOnlyMemory<byte>? wireMemory = wire is null ? (ReadOnlyMemory<byte>?)null : wire;
        TrustVerdict verdict = trust.JudgeManifest(repository, manifest, whitelist, wireMemory, now: null, highestRevision: null);
        if (verdict.Outcome != TrustOutcome.Accepted
            && !(verdict.Outcome == TrustOutcome.Unverified && verdict is { Manifest: not null, Whitelist: not null }))
        {
            string entry = verdict.Reason is TrustReason.WhitelistMalformed or TrustReason.WhitelistSignature
                or TrustReason.WhitelistWantsPkcs7
                ? SeedPath.Whitelist : SeedPath.Manifest;
            throw new SeedRefusedException(SeedPath.OfDocument(fqrn, entry), -1,
                $"the chain of trust does not hold ({verdict.Reason}): {verdict.Explanation.TrimEnd('.')}");
        }

        return new SeedTrustVerdict(verdict.Manifest!, verdict.Whitelist!, hasSiteKey, verdict.Whitelist!.ExpiresAt <= time.GetUtcNow());
    }

    /// <summary>The verdict; null where <see cref="Judge"/> refuses.</summary>
    public SeedTrustVerdict? TryJudge(string fqrn, IReadOnlyDictionary<string, byte[]> documents, Func<ObjectKey, byte[]?> certificate)
    {
        try
        {
            return Judge(fqrn, documents, certificate);
        }
        catch (SeedRefusedException)
        {
            return null;
        }
    }

    private static MasterKeys BundledKey(Fqrn fqrn, IReadOnlyDictionary<string, byte[]> documents)
    {
        string name = SeedPath.OfMasterKey(fqrn.ToString());
        return !documents.TryGetValue(name, out byte[]? pem) ? MasterKeys.None
            : MasterKeys.Of(fqrn, System.Text.Encoding.Latin1.GetString(pem)).TryGet(out MasterKeys? keys, out string? problem) ? keys
            : throw new SeedRefusedException(name, -1, problem.TrimEnd('.'));
    }

    private static byte[] Document(IReadOnlyDictionary<string, byte[]> documents, string name) =>
        documents.TryGetValue(name, out byte[]? bytes) ? bytes : throw new SeedRefusedException(name, -1, "is missing");
}
