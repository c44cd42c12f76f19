using Breakwater.Laboratory.Client;
using Breakwater.Laboratory.Net;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>
/// The clients' patience (<see cref="SpeedWatch"/>), for all connections of a storm at once: a request that has become too slow is cut. One
/// timer for all costs less than one for every request.
/// </summary>
internal sealed class StallWatch : IAsyncDisposable
{
    private static readonly TimeSpan s_tick = TimeSpan.FromSeconds(1); // as SpeedWatch wants to be looked at

    private readonly List<VmConnection> _connections = []; // guarded by itself
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;

    /// <summary>Starts to watch.</summary>
    public StallWatch() => _watching = WatchAsync();

    /// <summary>Watches a connection from now on; to be called before its first request.</summary>
    public void Add(VmConnection connection)
    {
        lock (_connections)
        {
            _connections.Add(connection);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        using PeriodicTimer timer = new(s_tick);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                long now = EventLoop.ClockUs();
                lock (_connections)
                {
                    foreach (VmConnection connection in _connections)
                    {
                        connection.Look(now);
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }
}
