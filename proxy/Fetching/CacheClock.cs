using Microsoft.Extensions.Internal;

namespace Breakwater.Proxy.Fetching;

/// <summary>Lets a <c>MemoryCache</c> live by the proxy's <see cref="TimeProvider"/>.</summary>
internal sealed class CacheClock(TimeProvider time) : ISystemClock
{
    public DateTimeOffset UtcNow => time.GetUtcNow();
}
