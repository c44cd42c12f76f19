using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Settings;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Publish.Keys;

/// <summary>Chooses or makes the whitelist that a repository shows.</summary>
internal static class WhitelistRenewal
{
    /// <summary>
    /// The whitelist that vouches longest: the one shown, the one brought into the keys' folder, or, where the master key is at hand and
    /// less than
    /// half of the validity is left, a new one.
    /// </summary>
    /// <param name="folder">The repository.</param>
    /// <param name="keys">Its keys.</param>
    /// <param name="validity">How long a new one is valid.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="PublishException">None is good.</exception>
    public static byte[] Choose(RepositoryFolder folder, PublishKeys keys, TimeSpan validity, DateTimeOffset now)
    {
        List<byte[]> offered = [];
        string? problem = null;
        foreach (byte[] bytes in new[] { folder.Read(RepositoryFolder.Whitelist), ReadIfThere(keys.WhitelistPath) }.OfType<byte[]>())
        {
            if (keys.Judge(bytes, now) is { } wrong)
            {
                problem = wrong;
            }
            else
            {
                offered.Add(bytes);
            }
        }

        byte[]? best = offered.MaxBy(ExpiryOf);
        if (NamedPath.IsFile(keys.MasterPath) && (best is null || ExpiryOf(best) - now < validity / 2))
        {
            byte[] certificate = PublishKeys.DerOf(keys.ReadCertificate(), keys.CertificatePath);
            return keys.SignWhitelist(keys.ReadKey(keys.MasterPath), [certificate], now, validity);
        }

        string why = problem is null ? "" : $" ({problem.TrimEnd('.')})";
        return best ?? throw new PublishException(
            $"{folder.Fqrn} has no whitelist that clients would take{why}. Where the master key is, run 'breakwater publish whitelist "
            + $"--repository {folder.Fqrn} --master FILE --certificate {Path.GetFileName(keys.CertificatePath)} --file OUT', bring OUT "
            + $"here and save it as {keys.WhitelistPath}.");
    }

    /// <summary>When it ends.</summary>
    public static DateTimeOffset ExpiryOf(byte[] whitelist) => Whitelist.Parse(whitelist).Value?.ExpiresAt ?? DateTimeOffset.MinValue;

    private static byte[]? ReadIfThere(string path) => NamedPath.IsFile(path) ? File.ReadAllBytes(path) : null;
}
