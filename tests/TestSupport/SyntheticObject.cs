using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;

namespace Breakwater.TestSupport;

/// <summary>An object made up for a test: any length, incompressible, always the same for a seed.</summary>
public sealed class SyntheticObject
{
    /// <summary>Makes one.</summary>
    /// <param name="sizeBytes">Length.</param>
    /// <param name="seed">Which bytes.</param>
    /// <param name="algorithm">Which digest.</param>
    /// <param name="kind">Kind letter, 0 for a plain file.</param>
    /// <param name="fqrn">The repository below which it is served.</param>
    public SyntheticObject(
        int sizeBytes, int seed = 1, DigestAlgorithm algorithm = DigestAlgorithm.Sha1, char kind = 'P',
        string fqrn = "synthetic.example.org")
    {
        Bytes = SeededBytes.Make(seed, sizeBytes);
        Key = new ObjectKey(ObjectHasher.Hash(algorithm, Bytes), algorithm, (ObjectKind)kind);
        Path = $"/cvmfs/{fqrn}/{Key.ToPath()}";
    }

    /// <summary>Its bytes.</summary>
    public byte[] Bytes { get; }

    /// <summary>Its identity.</summary>
    public ObjectKey Key { get; }

    /// <summary>Its path on a Stratum 1.</summary>
    public string Path { get; }

    /// <summary>A URL for it in forward form.</summary>
    public string Url => "http://s1.example.org" + Path;

    /// <summary>Puts it on a Stratum 1 and answers itself.</summary>
    public SyntheticObject On(params IReadOnlyList<ScriptedUpstream> upstreams)
    {
        foreach (ScriptedUpstream upstream in upstreams)
        {
            upstream.Put(Path, Bytes);
        }

        return this;
    }
}
