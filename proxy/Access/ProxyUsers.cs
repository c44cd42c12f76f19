using System.Security.Cryptography;
using System.Text;

namespace Breakwater.Proxy.Access;

/// <summary>Proxy Basic authentication (RFC 9110, 11.7; RFC 7617). With no users nobody is asked. Thread-safe; replaced whole.</summary>
internal sealed class ProxyUsers(IReadOnlyDictionary<string, string> users)
{
    private const string Hashed = "sha256:";
    private volatile Dictionary<string, byte[]> _digests = Digest(users);

    /// <summary>Must clients say who they are?</summary>
    public bool AreRequired => _digests.Count > 0;

    /// <summary>New settings are in force.</summary>
    public void Replace(IReadOnlyDictionary<string, string> users) => _digests = Digest(users);

    /// <summary>Is this the value of a right <c>Proxy-Authorization</c>? Compares in constant time.</summary>
    public bool Allows(string? authorization)
    {
        if (authorization is null || !authorization.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase) || authorization.Length > 1024)
        {
            return false;
        }

        Span<byte> decoded = stackalloc byte[768];
        if (!Convert.TryFromBase64String(authorization[6..].Trim(), decoded, out int length))
        {
            return false;
        }

        int colon = decoded[..length].IndexOf((byte)':');
        if (colon < 0)
        {
            return false;
        }

        bool isKnown = _digests.TryGetValue(Encoding.UTF8.GetString(decoded[..colon]), out byte[]? expected);
        Span<byte> actual = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(decoded[(colon + 1)..length], actual);
        return CryptographicOperations.FixedTimeEquals(actual, expected ?? new byte[SHA256.HashSizeInBytes]) && isKnown;
    }

    /// <summary>Is this a password, or the SHA-256 of one?</summary>
    public static bool IsValid(string password) =>
        password.Length > 0
        && (!password.StartsWith(Hashed, StringComparison.Ordinal)
        || (password.Length == Hashed.Length + 64 && password[Hashed.Length..].All(char.IsAsciiHexDigit)));

    private static Dictionary<string, byte[]> Digest(IReadOnlyDictionary<string, string> users) => users.ToDictionary(
        u => u.Key,
        u => u.Value.StartsWith(Hashed, StringComparison.Ordinal)
        ? Convert.FromHexString(u.Value.AsSpan(Hashed.Length))
        : SHA256.HashData(Encoding.UTF8.GetBytes(u.Value)),
        StringComparer.Ordinal);
}
