using Breakwater.CacheStore;
using Breakwater.Laboratory.Client;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>One request of a boot; shared by all VMs.</summary>
internal sealed class BootRequest
{
    /// <summary>
    /// The servers that a VM knows, in its order. The proxy's cluster lists neither: as on a real site, where images name servers of a
    /// CDN, the name in the request must only order the candidates.
    /// </summary>
    public static readonly IReadOnlyList<string> Hosts = ["s1.example.org", "s2.example.org"];

    private readonly PreparedRequest[] _plain;
    private readonly PreparedRequest[] _noCache;

    /// <summary>Makes a request.</summary>
    /// <param name="index">Its place in the boot, from 0.</param>
    /// <param name="path">The path on the server.</param>
    /// <param name="expected">The right bytes.</param>
    public BootRequest(int index, string path, byte[] expected)
    {
        Index = index;
        Path = path;
        Expected = expected;
        IsObject = DemoRepository.TryParseObject(path, out ObjectKey key);
        Key = key;
        Expectation = IsObject ? Expectation.Of(path) : Expectation.Exactly(expected);
        _plain = [.. Hosts.Select(host => PreparedRequest.Get(path, host, isAbsolute: true))];
        _noCache = [.. Hosts.Select(host => PreparedRequest.Get(path, host, isAbsolute: true, noCache: true))];
    }

    /// <summary>Its place in the boot, from 0.</summary>
    public int Index { get; }

    /// <summary>The path on the server, <c>/cvmfs/…</c>.</summary>
    public string Path { get; }

    /// <summary>The right bytes.</summary>
    public byte[] Expected { get; }

    /// <summary>What the body of an answer has to be.</summary>
    public Expectation Expectation { get; }

    /// <summary>Content-addressed? Else a document.</summary>
    public bool IsObject { get; }

    /// <summary>Which object it is, when it is one.</summary>
    public ObjectKey Key { get; }

    /// <summary>Needed to mount (document, certificate, history, catalog), before any file can be read?</summary>
    public bool BelongsToMount => !IsObject || Key.Kind is ObjectKind.Certificate or ObjectKind.History or ObjectKind.Catalog;

    /// <summary>The request's bytes, as the client sends them through a proxy.</summary>
    /// <param name="host">Index in <see cref="Hosts"/>.</param>
    /// <param name="noCache">The client's second try after a wrong body.</param>
    public ReadOnlyMemory<byte> Wire(int host, bool noCache) => (noCache ? _noCache : _plain)[host].Memory;
}
