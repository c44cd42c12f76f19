namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>Every request through Kestrel's ordinary pipeline.</summary>
public sealed class OrdinaryListener() : ListenerUnderTest(rawPath: false);
