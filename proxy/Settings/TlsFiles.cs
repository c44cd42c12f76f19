using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Breakwater.Proxy.Settings;

/// <summary>
/// Certificates and keys that settings name as PEM files: read, and every mistake told by its setting and file. No message holds anything
/// of a key.
/// </summary>
internal static class TlsFiles
{
    /// <summary>A chain of certificates, or a bundle of a system's authorities (some 250 KB), is not longer.</summary>
    private const int MaxFileBytes = 4 << 20;

    /// <summary>
    /// Reads a certificate with its key, as a server or a client shows it: its own certificate first, then those that vouch for it.
    /// </summary>
    /// <param name="certificate">Setting and path of the certificates.</param>
    /// <param name="key">Setting and path of the key; no path: the key stands in the certificate's file.</param>
    /// <param name="now">A certificate that is not valid now is a mistake.</param>
    /// <param name="errors">Gets a line for each mistake.</param>
    /// <returns>Null: there was a mistake.</returns>
    public static SslStreamCertificateContext? Read((string Setting, string Path) certificate, (string Setting, string? Path) key,
        DateTime now, List<string> errors)
    {
        bool isInOne = string.IsNullOrEmpty(key.Path);
        if (Text(certificate.Setting, certificate.Path, errors) is not { } certificates
            || (isInOne ? certificates : Text(key.Setting, key.Path!, errors)) is not { } keyText)
        {
            return null;
        }

        (string keySetting, string keyPath) = isInOne ? certificate : (key.Setting, key.Path!);
        if (Certificates(certificate.Setting, certificate.Path, certificates, errors) is not { } chain)
        {
            return null;
        }

        X509Certificate2 own = chain[0];
        if (now < own.NotBefore.ToUniversalTime() || now > own.NotAfter.ToUniversalTime())
        {
            errors.Add(FormattableString.Invariant(
                $"{certificate.Setting}: '{certificate.Path}' is valid from {own.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} to ")
                + FormattableString.Invariant($"{own.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC, not now: renew it."));
            return null;
        }

        if (!HasKey(keyText))
        {
            errors.Add($"{keySetting}: '{keyPath}' has no private key in PEM form (-----BEGIN PRIVATE KEY-----)"
                + (isInOne ? $"; name the key's file in {key.Setting}." : "."));
            return null;
        }

        try
        {
            // Offline: nobody is asked for the rest of the chain.
            return SslStreamCertificateContext.Create(
                X509Certificate2.CreateFromPem(own.ExportCertificatePem(), keyText), [.. chain.Skip(1)], offline: true);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            errors.Add(keyText.Contains("BEGIN ENCRYPTED PRIVATE KEY", StringComparison.Ordinal)
                || keyText.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal)
                ? $"{keySetting}: '{keyPath}' is locked with a password; write it without one (openssl pkey -in … -out …), mode 0600."
                : $"{keySetting}: '{keyPath}' is not the key of the certificate in '{certificate.Path}'.");
            return null;
        }
    }

    /// <summary>Reads certificates of authorities. Null: there was a mistake.</summary>
    public static X509Certificate2Collection? ReadAuthorities(string setting, string path, List<string> errors) =>
        Text(setting, path, errors) is { } text ? Certificates(setting, path, text, errors) : null;

    /// <summary>The certificates in a text, at least one. Null: there was a mistake.</summary>
    private static X509Certificate2Collection? Certificates(string setting, string path, string text, List<string> errors)
    {
        X509Certificate2Collection certificates = [];
        try
        {
            certificates.ImportFromPem(text);
        }
        catch (CryptographicException)
        {
            errors.Add($"{setting}: '{path}' has a certificate that cannot be read.");
            return null;
        }

        if (certificates.Count > 0)
        {
            return certificates;
        }

        errors.Add($"{setting}: '{path}' has no certificate in PEM form (-----BEGIN CERTIFICATE-----).");
        return null;
    }

    /// <summary>Is there a key of whatever kind, behind certificates or alone?</summary>
    private static bool HasKey(string text)
    {
        for (ReadOnlySpan<char> rest = text; PemEncoding.TryFind(rest, out PemFields found); rest = rest[found.Location.End..])
        {
            if (rest[found.Label].EndsWith("PRIVATE KEY", StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    private static string? Text(string setting, string path, List<string> errors)
    {
        try
        {
            if (!NamedPath.IsFile(path))
            {
                errors.Add(NamedPath.IsFolder(path) ? $"{setting}: '{path}' is a folder." : $"{setting}: there is no file '{path}'.");
                return null;
            }

            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            byte[] bytes = new byte[MaxFileBytes + 1];
            int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length <= MaxFileBytes)
            {
                return System.Text.Encoding.Latin1.GetString(bytes, 0, length);
            }

            errors.Add($"{setting}: '{path}' is longer than {MaxFileBytes >> 20} MiB.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            errors.Add($"{setting}: '{path}' cannot be read: {e.Message}");
        }

        return null;
    }
}
