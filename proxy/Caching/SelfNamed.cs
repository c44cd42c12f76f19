using System.Buffers;

namespace Breakwater.Proxy.Caching;

/// <summary>
/// URLs that name the SHA-256 of their own content: blobs of registries and apt's <c>by-hash</c>. Their bytes can be proved, so they are
/// shared by all hosts; the permission to read them is not (docs/develop/adr/0122-bytes-are-shared-permission-is-not.md). Pure.
/// </summary>
internal static class SelfNamed
{
    private static readonly SearchValues<char> s_hex = SearchValues.Create("0123456789abcdef");

    private const int HexLength = 64;

    /// <summary>Parts of the names of fields that carry a secret of the client.</summary>
    private static readonly string[] s_secrets =
        ["auth", "cookie", "token", "secret", "key", "credential", "signature", "session", "password", "cert"];

    /// <summary>The digest that a URL names; null: it names none.</summary>
    /// <param name="url">Absolute, without a prefix.</param>
    public static byte[]? DigestOf(ReadOnlySpan<char> url)
    {
        int query = url.IndexOf('?');
        ReadOnlySpan<char> path = query < 0 ? url : url[..query];
        if (path.Length <= HexLength)
        {
            return null;
        }

        ReadOnlySpan<char> hex = path[^HexLength..];
        ReadOnlySpan<char> before = path[..^HexLength];
        bool isNamed = before.EndsWith("/by-hash/SHA256/", StringComparison.Ordinal)
            || (before.EndsWith("/blobs/sha256:", StringComparison.Ordinal) && before.Contains("/v2/", StringComparison.Ordinal));
        return isNamed && !hex.ContainsAnyExcept(s_hex) ? Convert.FromHexString(hex) : null;
    }

    /// <summary>
    /// Does a request show that it may have what others may not? Then what it is allowed says nothing of the next one. A query counts: it
    /// may be a signature; but for <c>ns=</c>, by which containerd names the registry to a mirror.
    /// </summary>
    public static bool HasCredentials(ReadOnlySpan<char> url, HeaderFields request)
    {
        int query = url.IndexOf('?');
        if (query >= 0 && !(url[(query + 1)..].StartsWith("ns=", StringComparison.Ordinal) && !url[query..].Contains('&')))
        {
            return true;
        }

        foreach ((string name, string _) in request)
        {
            foreach (string secret in s_secrets)
            {
                if (name.Contains(secret, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>The name under which the proved bytes are kept for all hosts: no URL is written so.</summary>
    public static string ShelfName(ReadOnlySpan<byte> digest) => "sha256:" + Convert.ToHexStringLower(digest);

    /// <summary>
    /// Was this answer's body taken in by its hash? Its identity begins with the hash then. What an older version stored was not; an answer
    /// that is no success has nothing to prove.
    /// </summary>
    public static bool IsProved(StoredHead head, ReadOnlySpan<byte> digest) =>
        head.Status is < 200 or >= 300 || head.BodyId.AsSpan().StartsWith(digest);

    /// <summary>Is its content in a coding? Then its bytes are not those of the name.</summary>
    public static bool IsCoded(HeaderFields answer) =>
        answer.Joined("Content-Encoding") is { } coding && !coding.Equals("identity", StringComparison.OrdinalIgnoreCase);
}
