using System.Text;
using Breakwater.CacheStore.Disk;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Admin;

/// <summary>
/// Where a server tells commands its admin port when the setting leaves the choice to the system (port 0): <c>admin.address</c> beside the
/// token.
/// </summary>
internal static class AdminAddressFile
{
    /// <summary>Notes the address in use.</summary>
    public static void Write(AdminOptions options, Uri address) =>
        WholeFile.Write(PathOf(options), Encoding.UTF8.GetBytes(address + "\n"), WholeFile.Readable);

    /// <summary>The base address that commands use; null when there is no admin port, or no server has noted its free one.</summary>
    /// <exception cref="UnauthorizedAccessException">Permission to look for what was noted is missing.</exception>
    public static Uri? Find(AdminOptions options)
    {
        if (options.ListenEndPoint() is not { } endPoint)
        {
            return null;
        }

        if (endPoint.Port == 0)
        {
            string path = PathOf(options);
            return NamedPath.IsFile(path) && Uri.TryCreate(File.ReadAllText(path).Trim(), UriKind.Absolute, out Uri? noted)
                ? noted
                : null;
        }

        if (endPoint.Address.Equals(System.Net.IPAddress.Any) || endPoint.Address.Equals(System.Net.IPAddress.IPv6Any))
        {
            endPoint.Address = System.Net.IPAddress.Loopback;
        }

        return new Uri($"{(options.SpeaksTls ? "https" : "http")}://{endPoint}/");
    }

    private static string PathOf(AdminOptions options) =>
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(options.TokenFile!))!, "admin.address");
}
