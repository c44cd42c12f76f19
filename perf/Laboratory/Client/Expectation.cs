using Breakwater.CacheStore;

namespace Breakwater.Laboratory.Client;

/// <summary>What a body has to be.</summary>
/// <param name="Kind">What is known of it.</param>
/// <param name="Algorithm">Of the digest.</param>
/// <param name="Value">The digest, or the bytes themselves.</param>
internal sealed record Expectation(ExpectationKind Kind, DigestAlgorithm Algorithm, byte[] Value)
{
    /// <summary>Any body will do.</summary>
    public static Expectation Nothing { get; } = new(ExpectationKind.None, default, []);

    /// <summary>These bytes and no others.</summary>
    public static Expectation Exactly(byte[] bytes) => new(ExpectationKind.Bytes, default, bytes);

    /// <summary>
    /// Reads it from a URL's path: <c>…/data/ab/cdef…[-rmd160|-shake128][suffix]</c>, <c>….cvmfspublished</c>, <c>….cvmfswhitelist</c>.
    /// </summary>
    public static Expectation Of(string path)
    {
        if (path.EndsWith("/.cvmfspublished", StringComparison.Ordinal) || path.EndsWith("/.cvmfswhitelist", StringComparison.Ordinal))
        {
            return new Expectation(ExpectationKind.SelfHash, DigestAlgorithm.Sha1, []);
        }

        int data = path.IndexOf("/data/", StringComparison.Ordinal);
        if (data < 0 || path.Length < data + 47 || path[data + 8] != '/')
        {
            return Nothing;
        }

        string hex = string.Concat(path.AsSpan(data + 6, 2), path.AsSpan(data + 9, 38));
        string rest = path[(data + 47)..];
        DigestAlgorithm algorithm = rest.StartsWith("-rmd160", StringComparison.Ordinal) ? DigestAlgorithm.RipeMd160
            : rest.StartsWith("-shake128", StringComparison.Ordinal) ? DigestAlgorithm.Shake128
            : DigestAlgorithm.Sha1;
        return hex.All(char.IsAsciiHexDigit) ? new Expectation(ExpectationKind.Digest, algorithm, Convert.FromHexString(hex)) : Nothing;
    }
}
