using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Breakwater.CacheStore.Disk;

namespace Breakwater.Proxy.Admin;

/// <summary>The secret that actions on the admin port need, kept in a file that its owner alone can read. Immutable.</summary>
internal sealed class AdminToken
{
    /// <summary>Where an operator finds it, in words.</summary>
    public const string WhereItIs =
        "Admin:TokenFile; the package's is /var/lib/breakwater/admin.token, by default it is admin.token in the store's directory";

    private const int SecretBytes = 32;
    private const string Scheme = "Bearer ";

    private readonly byte[] _token;

    private AdminToken(string token) => _token = Encoding.ASCII.GetBytes(token);

    /// <summary>
    /// Reads the token; makes the file, mode 0600, when there is none, or one that says nothing (a disk that was full, a power failure).
    /// </summary>
    /// <exception cref="IOException">The file cannot be read or made, or holds something else.</exception>
    /// <exception cref="UnauthorizedAccessException">The same, for want of permission.</exception>
    public static AdminToken LoadOrCreate(string path)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory)
        {
            Directory.CreateDirectory(directory);
        }

        if (File.Exists(path) && Text(path).Length > 0)
        {
            return new AdminToken(Read(path));
        }

        string made = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        WholeFile.Write(path, Encoding.ASCII.GetBytes(made + "\n"), WholeFile.Secret);
        return new AdminToken(made);
    }

    /// <summary>The token in an existing file.</summary>
    /// <exception cref="IOException">It cannot be read, or holds none.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission is missing.</exception>
    public static string Read(string path)
    {
        string token = Text(path);
        return token.Length >= 16 && token.All(c => c is >= ' ' and <= '~')
            ? token
            : throw new IOException(
            $"The token file {path} holds no token of 16 or more ASCII characters; remove it, and the next start makes a new one.");
    }

    /// <summary>Some file systems leave zeros of a write that a power failure cut.</summary>
    private static string Text(string path) => File.ReadAllText(path).Trim('\0', ' ', '\t', '\r', '\n');

    /// <summary>Does an <c>Authorization</c> header carry this token? Takes the same time wherever it differs.</summary>
    public bool Matches(string? authorization) =>
        authorization is not null
        && authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && IsSame(authorization[Scheme.Length..].Trim());

    /// <summary>Is it this token? Takes the same time wherever it differs.</summary>
    public bool IsSame(string offered) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(offered), _token);
}
