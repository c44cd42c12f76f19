using Microsoft.Extensions.Internal;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// Lets a <c>MemoryCache</c> live by the proxy's monotonic time: its entries must last as long as they should, whatever becomes of the wall
/// clock (ADR 0030). The date is made up; a cache compares it with itself alone.
/// </summary>
internal sealed class CacheClock(TimeProvider time) : ISystemClock
{
    private readonly long _start = time.GetTimestamp();

    public DateTimeOffset UtcNow => DateTimeOffset.UnixEpoch + time.GetElapsedTime(_start);
}
