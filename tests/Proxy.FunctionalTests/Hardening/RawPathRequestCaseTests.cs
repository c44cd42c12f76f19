namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>The table through the path that answers hits below HttpContext.</summary>
public sealed class RawPathRequestCaseTests(RawListener listener) : RequestCaseTests(listener), IClassFixture<RawListener>;
