namespace Breakwater.CacheStore.Hashing;

/// <summary>Keys of what is named and not hashed.</summary>
public static class NamedKey
{
    /// <summary>
    /// The key of a name: its SHA-256, cut to 20 bytes. No text form leads to it (<see
    /// cref="ObjectKey.TryParse(ReadOnlySpan{byte}, out ObjectKey)"/>), so nobody who asks for objects of CernVM-FS gets at it.
    /// </summary>
    /// <param name="name">Any bytes.</param>
    public static ObjectKey Of(ReadOnlySpan<byte> name)
    {
        Span<byte> digest = stackalloc byte[32];
        Digests.Sha256(name, digest);
        return new ObjectKey(digest[..ObjectKey.DigestSizeBytes], DigestAlgorithm.Named, ObjectKind.Plain);
    }
}
