using FASTER.core;

namespace Breakwater.CacheStore.Index;

/// <summary>Keys are digests already: their first bits are the hash.</summary>
internal sealed class KeyComparer : IFasterEqualityComparer<ObjectKey>
{
    public long GetHashCode64(ref ObjectKey k) => k.GetHashCode64();

    public bool Equals(ref ObjectKey k1, ref ObjectKey k2) => k1.Equals(k2);
}
