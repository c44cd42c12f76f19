using System.Net;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>The table through the ordinary path.</summary>
public sealed class OrdinaryPathRequestCaseTests(OrdinaryListener listener) : RequestCaseTests(listener), IClassFixture<OrdinaryListener>;
