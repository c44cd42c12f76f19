using Breakwater.Proxy.Access;
using Breakwater.Proxy.EventLoops.KestrelSide;
using Breakwater.Proxy.Settings;
using Microsoft.AspNetCore.Connections;

namespace Breakwater.Proxy.Host;

/// <summary>How a process that is told to stop leaves its clients.</summary>
internal static class LeaveTaking
{
    /// <summary>
    /// Says good-bye on every answer, then stops accepting, lets responses under way end, and closes. The store commits when it is
    /// disposed.
    /// </summary>
    /// <remarks>
    /// Who connects to a socket that a service manager keeps, once nobody accepts there, waits for the next process: it is accepted until
    /// the farewell is over, and from then on nobody is waited for but who has yet to send a request.
    /// </remarks>
    public static async Task StopAsync(WebApplication app, ProxyOptions proxy)
    {
        TimeSpan farewell = FarewellOf(proxy);
        app.Services.GetRequiredService<Drain>().Begin();
        await Task.Delay(farewell);
        Task doors = Task.WhenAll(
            app.Services.GetServices<IConnectionListenerFactory>().OfType<LoopTransport>().Select(one => one.StopAcceptingAsync()));
        await doors.WaitAsync(farewell).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.StopAsync();
    }

    /// <summary>How long good-bye is said: as the settings say, and half of the time for the whole leave at most.</summary>
    internal static TimeSpan FarewellOf(ProxyOptions proxy) =>
        TimeSpan.FromTicks(Math.Min(proxy.DrainTimeout.Ticks / 2, proxy.Farewell.Ticks));
}
