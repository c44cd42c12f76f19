using System.Security.Cryptography;
using System.Text.Json;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.WorkingSets;

namespace Breakwater.Proxy.Cluster;

/// <summary>
/// What this node offers beside objects: its verified repositories' revisions, boots that it has seen, learned working sets. Others ask
/// for it when its hash has changed. Thread-safe.
/// </summary>
internal sealed class NodeState(SignedDocuments documents, SiteBoots boots, WorkingSetStore sets, TimeProvider time)
{
    /// <summary>It is made anew so often at most, however many nodes ask.</summary>
    private static readonly TimeSpan s_lifetime = TimeSpan.FromSeconds(0.5);

    private readonly Lock _gate = new();
    private Made? _made;    // guarded by _gate

    /// <summary>Its hash, for the announcement.</summary>
    public string Hash => Current().Hash;

    /// <summary>The state as JSON.</summary>
    public ReadOnlyMemory<byte> Json => Current().Json;

    private Made Current()
    {
        lock (_gate)
        {
            if (_made is { } made && time.GetElapsedTime(made.At) < s_lifetime)
            {
                return made;
            }

            var offer = new NodeOffer(documents.VerifiedRevisions(), boots.Newest(), NodeLearning.Versions(sets));
            byte[] json = JsonSerializer.SerializeToUtf8Bytes(offer, NodeOffer.Options);
            _made = new Made(json, Convert.ToHexStringLower(SHA256.HashData(json).AsSpan(0, 8)), time.GetTimestamp());
            return _made;
        }
    }

    private sealed record Made(byte[] Json, string Hash, long At);
}
