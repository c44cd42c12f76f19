using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Digests;

namespace Breakwater.CacheStore.Hashing;

/// <summary>An incremental digest of one object's bytes. Not thread-safe; dispose to return native memory.</summary>
public abstract class ObjectHasher : IDisposable
{
    /// <summary>Starts a digest with the algorithm of a key.</summary>
    public static ObjectHasher Create(DigestAlgorithm algorithm) => algorithm switch
    {
        DigestAlgorithm.Sha1 => Digests.AreManaged ? new ManagedSha1Hasher() : new Sha1Hasher(),
        DigestAlgorithm.RipeMd160 => new RipeMd160Hasher(),
        DigestAlgorithm.Shake128 => new Shake128Hasher(),
        DigestAlgorithm.Named => new NoHasher(),
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
    };

    /// <summary>Hashes one whole buffer: 20 bytes.</summary>
    public static byte[] Hash(DigestAlgorithm algorithm, ReadOnlySpan<byte> bytes)
    {
        using ObjectHasher hasher = Create(algorithm);
        hasher.Append(bytes);
        byte[] digest = new byte[ObjectKey.DigestSizeBytes];
        hasher.Finish(digest);
        return digest;
    }

    /// <summary>Adds bytes.</summary>
    public abstract void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Writes the 20 byte digest and starts anew.</summary>
    public abstract void Finish(Span<byte> digest);

    /// <summary>Is the digest of the bytes so far that of the key? More may be added after it. Any bytes match a name.</summary>
    public bool Matches(in ObjectKey key)
    {
        if (key.Algorithm == DigestAlgorithm.Named)
        {
            return true;
        }

        Span<byte> digest = stackalloc byte[ObjectKey.DigestSizeBytes];
        Peek(digest);
        return key.DigestEquals(digest);
    }

    /// <summary>Writes the 20 byte digest of the bytes so far; more may be added after it.</summary>
    protected abstract void Peek(Span<byte> digest);

    /// <summary>Ends the digest: is it that of the key? Starts anew. Any bytes match a name.</summary>
    public bool FinishMatches(in ObjectKey key)
    {
        if (key.Algorithm == DigestAlgorithm.Named)
        {
            return true;
        }

        Span<byte> digest = stackalloc byte[ObjectKey.DigestSizeBytes];
        Finish(digest);
        return key.DigestEquals(digest);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Returns native memory.</summary>
    protected abstract void Dispose(bool disposing);

    private sealed class Sha1Hasher : ObjectHasher
    {
#pragma warning disable CA5350 // SHA-1 is CernVM-FS's default content hash; we verify what the protocol names.
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
#pragma warning restore CA5350

        public override void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

        public override void Finish(Span<byte> digest) => _hash.GetHashAndReset(digest);

        protected override void Peek(Span<byte> digest) => _hash.GetCurrentHash(digest);

        protected override void Dispose(bool disposing) => _hash.Dispose();
    }

    /// <summary>For the image that has no OpenSSL: <see cref="Digests.AreManaged"/>.</summary>
    internal sealed class ManagedSha1Hasher : ObjectHasher
    {
        private readonly Sha1Digest _hash = new();

        public override void Append(ReadOnlySpan<byte> bytes) => _hash.BlockUpdate(bytes);

        public override void Finish(Span<byte> digest) => _hash.DoFinal(digest);

        protected override void Peek(Span<byte> digest) => new Sha1Digest(_hash).DoFinal(digest);

        protected override void Dispose(bool disposing)
        {
        }
    }

    private sealed class RipeMd160Hasher : ObjectHasher
    {
        private readonly RipeMD160Digest _hash = new();

        public override void Append(ReadOnlySpan<byte> bytes) => _hash.BlockUpdate(bytes);

        public override void Finish(Span<byte> digest) => _hash.DoFinal(digest);

        protected override void Peek(Span<byte> digest) => new RipeMD160Digest(_hash).DoFinal(digest);

        protected override void Dispose(bool disposing)
        {
        }
    }

    /// <summary>SHAKE-128 through BouncyCastle: the runtime's own needs an OpenSSL that has it.</summary>
    private sealed class Shake128Hasher : ObjectHasher
    {
        private readonly ShakeDigest _hash = new(128);

        public override void Append(ReadOnlySpan<byte> bytes) => _hash.BlockUpdate(bytes);

        public override void Finish(Span<byte> digest) => _hash.OutputFinal(digest[..ObjectKey.DigestSizeBytes]);

        protected override void Peek(Span<byte> digest) => new ShakeDigest(_hash).OutputFinal(digest[..ObjectKey.DigestSizeBytes]);

        protected override void Dispose(bool disposing)
        {
        }
    }

    /// <summary>Of what is named: nothing is hashed.</summary>
    private sealed class NoHasher : ObjectHasher
    {
        public override void Append(ReadOnlySpan<byte> bytes)
        {
        }

        public override void Finish(Span<byte> digest) => throw new NotSupportedException("What is named has no digest.");

        protected override void Peek(Span<byte> digest) => throw new NotSupportedException("What is named has no digest.");

        protected override void Dispose(bool disposing)
        {
        }
    }
}
