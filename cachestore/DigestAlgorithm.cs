namespace Breakwater.CacheStore;

/// <summary>The content hashes of CernVM-FS, and names; every digest is 160 bit long (SHAKE-128 is cut to 20 bytes).</summary>
public enum DigestAlgorithm : byte
{
    /// <summary>SHA-1: no tag in the URL.</summary>
    Sha1 = 0,

    /// <summary>RIPEMD-160: <c>-rmd160</c> in the URL.</summary>
    RipeMd160 = 1,

    /// <summary>SHAKE-128: <c>-shake128</c> in the URL.</summary>
    Shake128 = 2,

    /// <summary>
    /// No content hash: the digest is that of a name (<see cref="Hashing.NamedKey"/>). Nothing but checksums vouches for the bytes.
    /// </summary>
    Named = 3,
}
