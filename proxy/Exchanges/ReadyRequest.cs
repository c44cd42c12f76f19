using System.Text;

namespace Breakwater.Proxy.Exchanges;

/// <summary>A request whose answer may become ready for the next one like it.</summary>
/// <param name="Target">The request target, as it came.</param>
/// <param name="Host">The field <c>Host</c>.</param>
/// <param name="Settings">Those in force before anything was decided.</param>
internal sealed record ReadyRequest(string Target, string Host, SettingsInForce Settings)
{
    /// <summary>The target's bytes.</summary>
    public byte[] TargetBytes => Encoding.Latin1.GetBytes(Target);

    /// <summary>The host's bytes; none where the target names the host.</summary>
    public byte[] HostBytes => Target.StartsWith('/') ? Encoding.Latin1.GetBytes(Host) : [];
}
