namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>Hits below HttpContext.</summary>
public sealed class RawListener() : ListenerUnderTest(rawPath: true);
