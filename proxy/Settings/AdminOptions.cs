using System.Net;

namespace Breakwater.Proxy.Settings;

/// <summary>Section <c>Admin</c>: the admin port with the page, the API, metrics and health.</summary>
internal sealed class AdminOptions
{
    /// <summary>Those who may read without the token by default: this host.</summary>
    public static readonly string[] DefaultReaders = ["127.0.0.0/8", "::1/128"];

    /// <summary>Address with a port, 0 for a free one. Default <c>127.0.0.1:9128</c>: this host alone. Empty: no admin port.</summary>
    public string Listen { get; set; } = "127.0.0.1:9128";

    /// <summary>
    /// File with the token that every action needs; made at the first start, mode 0600. Default <c>admin.token</c> in the store's
    /// directory.
    /// </summary>
    public string? TokenFile { get; set; }

    /// <summary>
    /// PEM file with the admin port's certificate, then those that vouch for it: the port then speaks TLS alone. Read again when it
    /// changes. Default none: plain HTTP.
    /// </summary>
    public string? TlsCertificate { get; set; }

    /// <summary>PEM file with its private key, without a password. Default: it stands in the certificate's file.</summary>
    public string? TlsKey { get; set; }

    /// <summary>
    /// Names by which the admin port may be asked for, beside <c>localhost</c> and addresses; a page elsewhere cannot reach it under its
    /// own name (DNS rebinding).
    /// </summary>
    public string[] Hosts { get; set; } = [];

    /// <summary>
    /// Networks in CIDR form that may read status, metrics and page without the token. Empty: <see cref="DefaultReaders"/>.
    /// </summary>
    public string[] Readers { get; set; } = [];

    /// <summary>Does the port speak TLS?</summary>
    public bool SpeaksTls => TlsCertificate is { Length: > 0 };

    /// <summary>The networks in force.</summary>
    public string[] EffectiveReaders => Readers.Length == 0 ? DefaultReaders : Readers;

    /// <summary>The parsed <see cref="Listen"/>; null when there is no admin port.</summary>
    public IPEndPoint? ListenEndPoint() => Listen.Length == 0 ? null : IPEndPoint.Parse(Listen);
}
