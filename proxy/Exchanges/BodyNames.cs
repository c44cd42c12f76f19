using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Breakwater.Proxy.Caching;

namespace Breakwater.Proxy.Exchanges;

/// <summary>Identities of bodies. Pure but for the random ones.</summary>
internal static class BodyNames
{
    private const int SizeBytes = 20;

    /// <summary>
    /// The identity of a body with a strong validator and a known length: the same generation has the same, so that its parts come together
    /// from wherever they
    /// were fetched; another generation has another.
    /// </summary>
    public static byte[] Of(string uri, IReadOnlyList<KeyValuePair<string, string?>> varyValues, string validator, long length)
    {
        var name = new StringBuilder();
        foreach (string part in (IEnumerable<string>)[uri, validator, length.ToString(CultureInfo.InvariantCulture),
            .. varyValues.Select(v => $"{v.Key}={v.Value}")])
        {
            name.Append(CultureInfo.InvariantCulture, $"{part.Length}:{part}");
        }

        return SHA256.HashData(Encoding.UTF8.GetBytes(name.ToString()))[..SizeBytes];
    }

    /// <summary>An identity for one fetch alone.</summary>
    public static byte[] Random() => RandomNumberGenerator.GetBytes(SizeBytes);

    /// <summary>
    /// An identity for one fetch of a body whose hash is known beforehand, beginning with that: until it is proved, its slices must not be
    /// taken for those of another fetch.
    /// </summary>
    public static byte[] Of(byte[] digest) => [.. digest, .. RandomNumberGenerator.GetBytes(8)];
}
