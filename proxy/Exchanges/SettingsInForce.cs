using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Exchanges;

/// <summary>The settings by which it is decided whose a request of ordinary HTTP is and how it is cached, at one moment.</summary>
/// <param name="Http">Sites, methods and rules.</param>
/// <param name="Destinations">Hosts that clients may name: <see cref="Access.HostPatterns.InForce"/>.</param>
internal readonly record struct SettingsInForce(HttpPolicy.Snapshot Http, object Destinations);
