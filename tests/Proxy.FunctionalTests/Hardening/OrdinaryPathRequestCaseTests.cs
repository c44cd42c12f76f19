namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>The table through the ordinary path.</summary>
public sealed class OrdinaryPathRequestCaseTests(OrdinaryListener listener) : RequestCaseTests(listener), IClassFixture<OrdinaryListener>;
