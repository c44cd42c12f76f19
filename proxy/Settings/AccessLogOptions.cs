using Breakwater.CacheStore;

namespace Breakwater.Proxy.Settings;

/// <summary>Section <c>AccessLog</c>: one line a request.</summary>
internal sealed class AccessLogOptions
{
    /// <summary>The file; <c>-</c> for standard output. Null or empty, the default: no access log.</summary>
    public string? Path { get; set; }

    /// <summary>Default <see cref="AccessLogFormat.Squid"/>: what a site's tools read already.</summary>
    public AccessLogFormat Format { get; set; }

    /// <summary>Length at which the file is rotated, bytes. Default 256 MiB, about two million requests.</summary>
    [Between(1L << 16, 1L << 40, "bytes")]
    public long MaxFileBytes { get; set; } = 256L << 20;

    /// <summary>Rotated files kept, <c>.1</c> the newest. Default 7.</summary>
    [Between(0, 1000, "files")]
    public int KeepFiles { get; set; } = 7;
}
