namespace Breakwater.Proxy.Settings;

/// <summary>How a line of the access log looks.</summary>
internal enum AccessLogFormat : byte
{
    /// <summary>Squid's native format, then <c>first byte in ms</c> and <c>path</c>.</summary>
    Squid,

    /// <summary>Apache's combined format, then cache result, Stratum 1, first byte in ms and path.</summary>
    Combined,

    /// <summary>A JSON object a line.</summary>
    Json,
}
