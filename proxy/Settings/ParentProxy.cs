using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;

namespace Breakwater.Proxy.Settings;

/// <summary>A parent proxy as its URL in the settings has it.</summary>
/// <param name="Address">Its URL without user and password: this may be shown.</param>
/// <param name="Credential">User and password, percent-decoded; null when the URL has none.</param>
internal sealed record ParentProxy(Uri Address, NetworkCredential? Credential)
{
    /// <summary>The value of <c>Proxy-Authorization</c> (RFC 7617); null when it needs none. Not to be shown.</summary>
    public string? Authorization { get; } = Credential is null
        ? null
        : "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Credential.UserName}:{Credential.Password}"));

    /// <summary>Without the password.</summary>
    public override string ToString() => Address.AbsoluteUri;

    /// <summary>
    /// Parses <c>http://user:password@host:port</c>; characters of user and password that mean something in a URL are percent-escaped.
    /// </summary>
    /// <param name="url">As in the settings.</param>
    /// <param name="parent">The proxy.</param>
    /// <param name="problem">What is wrong; tells no password.</param>
    public static bool TryParse(string? url, [NotNullWhen(true)] out ParentProxy? parent, out string problem)
    {
        parent = null;
        problem = $"'{WithoutPassword(url)}' is not a parent proxy's URL, such as http://proxy.example.org:3128 or "
            + $"http://user:password@proxy.example.org:3128 (with %40 for an @ in a password).";
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0
            || uri.Query.Length > 0 || uri.Fragment.Length > 0 || uri.AbsolutePath != "/")
        {
            return false;
        }

        var address = new Uri(uri.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped));
        if (uri.UserInfo.Length == 0)
        {
            parent = new ParentProxy(address, null);
            return true;
        }

        string[] parts = uri.UserInfo.Split(':', 2);
        string user = Uri.UnescapeDataString(parts[0]);
        string password = parts.Length == 2 ? Uri.UnescapeDataString(parts[1]) : "";
        if (user.Length == 0 || user.Contains(':', StringComparison.Ordinal) || (user + password).Any(char.IsControl))
        {
            problem = $"'{WithoutPassword(url)}': a user has a name without ':', and neither it nor the password has control characters.";
            return false;
        }

        parent = new ParentProxy(address, new NetworkCredential(user, password));
        return true;
    }

    /// <summary>A URL as it may be shown, even one that is none.</summary>
    public static string WithoutPassword(string? url)
    {
        int at = url?.LastIndexOf('@') ?? -1;
        if (at < 0)
        {
            return url ?? "";
        }

        int scheme = url!.IndexOf("://", StringComparison.Ordinal);
        return (scheme >= 0 && scheme < at ? url[..(scheme + 3)] : "") + "…" + url[at..];
    }
}
