using System.Net;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>Every request through Kestrel's ordinary pipeline.</summary>
public sealed class OrdinaryListener() : ListenerUnderTest(rawPath: false);
