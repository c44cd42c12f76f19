using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Breakwater.Proxy.Admin;

/// <summary>The secret that actions on the admin port need, kept in a file that its owner alone can read. Immutable.</summary>
internal sealed class AdminToken
{
    private const int SecretBytes = 32;
    private const string Scheme = "Bearer ";

    private readonly byte[] _token;

    private AdminToken(string token) => _token = Encoding.ASCII.GetBytes(token);

    /// <summary>Reads the token; makes the file, mode 0600, when there is none.</summary>
    /// <exception cref="IOException">The file cannot be read or made, or is empty.</exception>
    /// <exception cref="UnauthorizedAccessException">The same, for want of permission.</exception>
    public static AdminToken LoadOrCreate(string path)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory)
        {
            Directory.CreateDirectory(directory);
        }

        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            using FileStream file = new(path, options);
            string made = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
            file.Write(Encoding.ASCII.GetBytes(made + "\n"));
            file.Flush(flushToDisk: true);
            return new AdminToken(made);
        }
        catch (IOException) when (File.Exists(path))
        {
            return new AdminToken(Read(path));
        }
    }

    /// <summary>The token in an existing file.</summary>
    /// <exception cref="IOException">It cannot be read, or is empty.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission is missing.</exception>
    public static string Read(string path)
    {
        string token = File.ReadAllText(path).Trim();
        return token.Length >= 16 && token.All(char.IsAscii)
            ? token
            : throw new IOException($"The token file {path} holds no token of 16 or more ASCII characters; remove it, and the next start makes a new one.");
    }

    /// <summary>Does an <c>Authorization</c> header carry this token? Takes the same time wherever it differs.</summary>
    public bool Matches(string? authorization) =>
        authorization is not null
        && authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(authorization[Scheme.Length..].Trim()), _token);
}
